#include "apps/shared/config_file.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "nn/text/utf8.hpp"
#include "tensor/error.hpp"

// toml++ 3.3 meets `[[[` with a failed assertion, not with an error: the program must not end there.
#define TOML_ASSERT(condition) \
  ((condition) ? void() : qisa::throw_error("it is not TOML; settings are lines of name = value"))
#include <toml++/toml.h>

namespace qisa {
namespace {

/// The content of a file that is one, and is not too long.
std::string read_all(const std::string& path) {
  constexpr std::uintmax_t largest = 1 << 20;
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  require(is_file, "{}: {}", path, error ? error.message() : "it is not a file");
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  require(size <= largest, "{}: {} bytes are too many for a config file", path, size);
  std::ifstream file(path, std::ios::binary);
  require(file.is_open(), "{}: it cannot be read", path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  constexpr std::string_view mark = "\xef\xbb\xbf";
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

toml::table parse_toml(const std::string& path) {
  const std::string text = read_all(path);
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    throw_error("{}:{}: {}", path, error.source().begin.line, error.description());
  } catch (const Error& error) {
    throw_error("{}: {}", path, error.what());
  }
}

}  // namespace

std::map<std::string, ConfigEntry> read_config(const std::string& path) {
  std::map<std::string, ConfigEntry> entries;
  for (const auto& [key, node] : parse_toml(path)) {
    const std::string name(key.str());
    ConfigEntry& entry = entries[name];
    entry.place = fmt::format("{}:{}", path, key.source().begin.line);
    if (const auto* boolean = node.as_boolean()) {
      entry.value = boolean->get();
    } else if (const auto* integer = node.as_integer()) {
      entry.value = integer->get();
    } else if (const auto* number = node.as_floating_point()) {
      entry.value = number->get();
    } else if (const auto* text = node.as_string()) {
      entry.value = text->get();
    } else {
      throw_error("{}: {} is a {}; settings are single values: name = value", entry.place, name,
                  node.is_table()   ? "table"
                  : node.is_array() ? "list"
                                    : "date or time");
    }
  }
  return entries;
}

std::string config_line(const std::string& name, const ConfigValue& value) {
  if (const double* number = std::get_if<double>(&value)) {  // toml++ writes 17 digits, where fewer read back the same
    const std::string digits = fmt::format("{}", *number);
    return fmt::format("{} = {}{}\n", name, digits, digits.find_first_not_of("-0123456789") == digits.npos ? ".0" : "");
  }
  if (const std::string* text = std::get_if<std::string>(&value)) {
    try {
      decode_utf8(*text);
    } catch (const Error& error) {
      throw_error("{}: a config file cannot hold it: {}", name, error.what());
    }
  }
  std::ostringstream line;
  const auto flags = toml::format_flags::allow_unicode_strings;  // others escaped, in one line
  std::visit([&](const auto& single) { line << toml::toml_formatter(toml::table{{name, single}}, flags); }, value);
  return line.str() + '\n';
}

}  // namespace qisa
