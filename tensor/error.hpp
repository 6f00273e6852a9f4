// Errors: one exception type, whose message is one line for a person to read.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace qisa {

/// Something that the caller gave cannot be used. The message names the values that disagree.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error with the formatted message.
template <class... Args>
[[noreturn]] void throw_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::vformat(format, fmt::make_format_args(args...)));
}

/// Throws Error with the formatted message unless `condition` holds.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    throw_error(format, std::forward<Args>(args)...);
}

}  // namespace qisa
