#include "tests/mutate/faults.hpp"

#include <set>

#include "tests/catch.hpp"

using namespace qisa::mutation;

namespace faults_test {

/// What the faults make of a text, each the line that it changes.
std::set<std::string> changes(const std::string& text) {
  std::set<std::string> lines;
  for (const Fault& fault : faults_in("file.cpp", text)) {
    lines.insert(line_at(with_fault(text, fault), fault.begin));
  }
  return lines;
}

using Lines = std::set<std::string>;

TEST_CASE("A fault changes an operator, a constant, a sign or a condition") {
  CHECK(changes("{\n  f(a + b);\n") == Lines{"f(a - b);", ";"});
  CHECK(changes("\n  int a = n[3];\n") == Lines{"int a = n[4];", "int a = n[2];", "int a = -n[3];"});
  CHECK(changes("\n  float a{0.5f};\n") == Lines{"float a{0.55f};", "float a{(-0.5f)};"});
  CHECK(changes("\n  return -a;\n") == Lines{"return a;"});
  CHECK(changes("\n  if (!a) return;\n") == Lines{"if (a) return;", "if (!(!a)) return;", "if (false) return;"});
  CHECK(changes("\n  while (i < n) g(std::min(a, b));\n") == Lines{"while (i <= n) g(std::min(a, b));",
                                                                   "while (i >= n) g(std::min(a, b));",
                                                                   "while (i < n) g(std::max(a, b));"});
}

TEST_CASE("Statements are left out whole, declarations never") {
  CHECK(changes("{\n  x.clear();\n") == Lines{";"});
  CHECK(changes("\n  std::vector<int> x;\n  Tensor y;\n  const T& z(x);\n").empty());
  const std::string text = "{\n  f([&](T x) {\n    g(x);\n  });\n}\n";
  CHECK(with_fault(text, faults_in("file.cpp", text).front()) == "{\n  ;\n}\n");
}

TEST_CASE("Faults leave comments, strings, the preprocessor, messages and types alone") {
  CHECK(changes("\n// a + 1\n#if A + 1\n/* a + 1 */\nconst T& x = \"a + 1\" ;\n").empty());
  CHECK(changes("\n  std::map<int, float>& x{y};\n  T* z{&y};\n  char c{'1'};\n").empty());
  CHECK(changes("{\n  require(a < n, \"{}\", n + 1);\n") ==
        Lines{"require(a <= n, \"{}\", n + 1);", "require(a >= n, \"{}\", n + 1);", ";"});
}

TEST_CASE("A fault knows its line") {
  const std::string text = "one\n  two\nthree";
  CHECK(line_number(text, 7) == 2);
  CHECK(line_at(text, 7) == "two");
  CHECK(line_at(text, 0) == "one");
  CHECK(line_at(text, text.size() - 1) == "three");
}

}  // namespace faults_test
