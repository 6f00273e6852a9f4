#include "tensor/files/safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "tensor/error.hpp"
#include "tensor/files/json.hpp"

namespace qisa {
namespace {

using Json = nlohmann::json;

constexpr int most_depth = 127;  // as in the format's own reader
constexpr const char* metadata_key = "__metadata__";
constexpr std::array fields = {"dtype", "shape", "data_offsets"};

/// The dtypes, and the bits of an item.
const std::map<std::string, std::uint64_t> item_bits = {
    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"BOOL", 8},        {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64}};

/// `place` is the tensor, for errors.
std::vector<std::uint64_t> read_numbers(const std::string& place, const char* field, const Json& json) {
  const bool holds = json.is_array() && std::all_of(json.begin(), json.end(),
                                                    [](const Json& number) { return number.is_number_unsigned(); });
  require(holds, "{}: {} must be a list of whole numbers from 0 to 2^64 - 1, not {}", place, field,
          quoted_for_error(json.dump()));
  return json;
}

/// An entry from {"dtype": …, "shape": …, "data_offsets": …}, or from a list of the three.
SafetensorsEntry read_entry(const std::string& name, Json json) {
  const std::string place = fmt::format("tensor {}", quoted_for_error(name));
  if (json.is_array() && json.size() == fields.size()) {
    json = Json{{fields[0], json[0]}, {fields[1], json[1]}, {fields[2], json[2]}};
  }
  require(json.is_object(), "{} must be an object, not {}", place, quoted_for_error(json.dump()));
  for (const char* field : fields) require(json.contains(field), "{} has no {}", place, field);
  Json& dtype = json["dtype"];
  if (dtype.is_object() && dtype.size() == 1 && dtype.front().is_null()) dtype = dtype.begin().key();
  require(dtype.is_string() && item_bits.contains(dtype), "{} has the unknown dtype {}", place,
          quoted_for_error(dtype.dump()));
  const std::vector<std::uint64_t> offsets = read_numbers(place, "data_offsets", json["data_offsets"]);
  require(offsets.size() == 2, "{}: data_offsets must be 2 numbers, not {}", place, offsets.size());
  return {name, dtype, read_numbers(place, "shape", json["shape"]), offsets[0], offsets[1]};
}

void read_metadata(const Json& json, std::map<std::string, std::string>& metadata) {
  require(json.is_object() || json.is_null(), "{} must be an object, not {}", metadata_key,
          quoted_for_error(json.dump()));
  for (const auto& [key, text] : json.items()) {
    require(text.is_string(), "metadata {} must be a string, not {}", quoted_for_error(key),
            quoted_for_error(text.dump()));
    metadata[key] = text;
  }
}

/// Throws unless the entries, in order, cover the data without a hole or an overlap, each with the bytes it needs.
void check_layout(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_size) {
  std::uint64_t position = 0;
  for (const SafetensorsEntry& entry : entries) {
    const std::string place = fmt::format("tensor {}", quoted_for_error(entry.name));
    require(entry.begin == position, "{} begins at byte {} of the data, expected {}: there is {}", place, entry.begin,
            position, entry.begin < position ? "an overlap" : "a hole");
    require(entry.end >= entry.begin, "{}: data_offsets begin at {}, after their end {}", place, entry.begin,
            entry.end);
    position = entry.end;
    std::uint64_t bits = 1;
    bool fits = true;
    for (const std::uint64_t size : entry.sizes) fits = fits && !__builtin_mul_overflow(bits, size, &bits);
    fits = fits && !__builtin_mul_overflow(bits, item_bits.at(entry.dtype), &bits);
    require(fits && bits % 8 == 0 && bits / 8 == entry.end - entry.begin,
            "{}: {} of shape {} does not fit the {} bytes of data_offsets", place, entry.dtype,
            Json(entry.sizes).dump(), entry.end - entry.begin);
  }
  require(position == data_size, "the tensors need {} bytes of data, but the file has {}", position, data_size);
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size,
                                           const std::string& file) try {
  SafetensorsHeader header;
  std::map<std::string, SafetensorsEntry> entries;
  std::string name;           // of the member of the header that is being read, and
  std::set<std::string> own;  // its keys
  bool has_metadata = false;
  // Members are taken when they end, and kept no longer.
  const Json json = parse_json(text, most_depth, [&](int depth, JsonEvent event, Json& value) {
    const bool is_key = event == JsonEvent::key;
    if (is_key && depth == 1) {
      name = value;
      own.clear();
      require(name != metadata_key || !std::exchange(has_metadata, true), "{} occurs twice", name);
    } else if (is_key && depth == 2 && name != metadata_key && std::ranges::count(fields, value) > 0) {
      require(own.insert(value).second, "tensor {} has two {}", quoted_for_error(name), value.get<std::string>());
    }
    if (depth != 1 || is_key || event == JsonEvent::object_start || event == JsonEvent::array_start) return true;
    name == metadata_key ? read_metadata(value, header.metadata) : void(entries[name] = read_entry(name, value));
    return false;
  });
  require(json.is_object(), "it must be a JSON object");
  for (auto& [key, entry] : entries) header.entries.push_back(std::move(entry));
  std::ranges::stable_sort(header.entries, {}, [](const auto& entry) { return std::pair(entry.begin, entry.end); });
  check_layout(header.entries, data_size);
  return header;
} catch (const Error& error) {
  throw_error("{}: header: {}", file, error.what());
}

}  // namespace qisa
