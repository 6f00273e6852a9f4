// Settings files in TOML 1.0 (toml.io).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

namespace qisa {

using ConfigValue = std::variant<bool, std::int64_t, double, std::string>;

/// What a settings file says of one name.
struct ConfigEntry {
  ConfigValue value;
  std::string place;  // "my.toml:3"
};

/// The settings in a file by name; a byte-order mark at its start is passed over. Throws an Error that names file,
/// line and what is wrong when the file is none (a device could be read forever), is longer than 1 MB, is not TOML, has
/// a name twice, or has tables, lists or dates.
std::map<std::string, ConfigEntry> read_config(const std::string& path);

/// The line "name = value". Throws when a text is not UTF-8, which TOML is.
std::string config_line(const std::string& name, const ConfigValue& value);

}  // namespace qisa
