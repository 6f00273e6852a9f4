// Small faults put into a source, one at a time, to see whether a test fails: an operator, a constant, a bound, a sign,
// a condition or a statement.
#pragma once

#include <string>
#include <vector>

namespace qisa::mutation {

/// `length` characters of a source from `begin` on give way to `replacement`.
struct Fault {
  std::string file;
  std::size_t begin = 0;
  std::size_t length = 0;
  std::string replacement;
};

/// Every fault that can be put into `text`, the content of `file`, laid out by clang-format: binary operators are
/// known by the blanks around them. Comments, strings, preprocessor lines and what is printed with a string are left
/// alone. Some of what is proposed does not compile.
std::vector<Fault> faults_in(const std::string& file, const std::string& text);

std::string with_fault(const std::string& text, const Fault& fault);

/// The number of the line that holds a position, from 1 on.
std::size_t line_number(const std::string& text, std::size_t position);

/// The line that holds a position, without blanks at its ends.
std::string line_at(const std::string& text, std::size_t position);

}  // namespace qisa::mutation
