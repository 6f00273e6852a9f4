// The value of an option as an entry of a config file, and back.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "apps/shared/config_file.hpp"
#include "apps/shared/numbers.hpp"
#include "nn/setting_text.hpp"

namespace qisa {

/// Whether values of this type go by names: enumerations.
template <class Value>
inline constexpr bool is_choice = !choices<Value>.empty() && !std::is_same_v<Value, bool>;

/// A value as an entry.
template <class Value>
ConfigValue to_entry(const Value& value) {
  if constexpr (std::is_same_v<Value, bool> || std::is_same_v<Value, double> || std::is_same_v<Value, std::string>) {
    return value;
  } else if constexpr (is_choice<Value>) {
    return name_of(value);
  } else {
    // TOML's integers are signed: a larger seed is written as text.
    return std::in_range<std::int64_t>(value) ? ConfigValue(static_cast<std::int64_t>(value))
                                              : fmt::format("{}", value);
  }
}

/// An entry as text.
inline std::string text_of(const ConfigValue& value) {
  return std::visit([](const auto& single) { return fmt::format("{}", single); }, value);
}

/// The inverse of to_entry(); numbers may be written as people do (numbers.hpp). False if that is of another type or
/// out of range.
template <class Value>
bool from_entry(const ConfigValue& entry, Value& value) {
  const auto* integer = std::get_if<std::int64_t>(&entry);
  const auto* number = std::get_if<double>(&entry);
  const auto* text = std::get_if<std::string>(&entry);
  if constexpr (std::is_same_v<Value, bool>) {
    const auto* boolean = std::get_if<bool>(&entry);
    if (boolean) value = *boolean;
    return boolean != nullptr;
  } else if constexpr (std::is_same_v<Value, double>) {
    if (number) value = *number;
    if (integer) value = static_cast<double>(*integer);
    return number || integer;
  } else if constexpr (std::is_same_v<Value, std::string>) {
    if (text) value = *text;
    return text != nullptr;
  } else if constexpr (is_choice<Value>) {
    const bool known = text && std::find(choices<Value>.begin(), choices<Value>.end(), *text) != choices<Value>.end();
    if (known) read_setting("", *text, value);
    return known;
  } else {
    std::optional<Value> whole;
    if (integer && std::in_range<Value>(*integer)) whole = static_cast<Value>(*integer);
    if (number) whole = as_whole_number<Value>(*number);
    if (text) whole = parse_number<Value>(*text);
    if (whole) value = *whole;
    return whole.has_value();
  }
}

/// What an entry for such a value must be, in words.
template <class Value>
const char* kind_of() {
  if constexpr (std::is_same_v<Value, bool>) return "true or false";
  if constexpr (std::is_same_v<Value, double>) return "a number";
  if constexpr (std::is_same_v<Value, std::string> || is_choice<Value>) return "a text in quotation marks";
  return std::is_unsigned_v<Value> ? "a whole number of at least 0" : "a whole number in range";
}

}  // namespace qisa
