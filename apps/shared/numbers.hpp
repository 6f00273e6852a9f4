// Numbers as people write them.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tensor/real.hpp"

namespace qisa {

/// The number that is the whole text; none if it is anything else or out of range.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

/// A floating-point number as a whole number, if it is one of this range.
template <class Integer>
std::optional<Integer> as_whole_number(double value) {
  constexpr double exact = 9007199254740992;  // 2^53: up to it, floating point has every whole number
  if (!(std::abs(value) <= exact) || value != std::floor(value)) return {};
  const auto whole = static_cast<Index>(value);
  return std::in_range<Integer>(whole) ? std::optional(static_cast<Integer>(whole)) : std::nullopt;
}

/// Digits, or a whole number in another form: 1e3 is a thousand.
template <class Integer>
std::optional<Integer> parse_whole_number(std::string_view text) {
  if (const auto value = parse_number<Integer>(text)) return value;
  const auto value = parse_number<double>(text);
  return value ? as_whole_number<Integer>(*value) : std::nullopt;
}

/// "1 layer", "2 layers".
inline std::string counted(Index count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace qisa
