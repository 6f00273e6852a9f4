// Settings of any kind as text, for files and the command line: 6, 0.003, true, qisa-v3, causal.
#pragma once

#include <array>
#include <charconv>
#include <string>
#include <type_traits>

#include "tensor/error.hpp"

namespace qisa {

/// The names of an enumeration's values, in their order; none for other types.
template <class Value>
inline constexpr std::array<const char*, 0> choices{};
template <>
inline constexpr std::array choices<bool>{"false", "true"};

/// The name of a choice.
template <class Choice>
const char* name_of(Choice choice) {
  return choices<Choice>.at(static_cast<std::size_t>(choice));
}

template <class Value>
std::string setting_text(const Value& value) {
  if constexpr (choices<Value>.empty()) {
    return fmt::format("{}", value);
  } else {
    return name_of(value);
  }
}

/// The inverse. Throws, naming the setting, when the text is none of the choices, or not a number as a whole.
template <class Value>
void read_setting(const std::string& name, const std::string& text, Value& value) {
  if constexpr (std::is_same_v<Value, std::string>) {
    value = text;
  } else if constexpr (choices<Value>.empty()) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    require(error == std::errc() && stop == end, "setting {} must be a {}number, not \"{}\"", name,
            std::is_integral_v<Value> ? "whole " : "", text);
  } else {
    std::string known;
    for (std::size_t i = 0; i < choices<Value>.size(); ++i) {
      if (text == choices<Value>[i]) return void(value = static_cast<Value>(i));
      known += (i == 0 ? "" : " or ") + std::string(choices<Value>[i]);
    }
    throw_error("setting {} must be {}, not \"{}\"", name, known, text);
  }
}

}  // namespace qisa
