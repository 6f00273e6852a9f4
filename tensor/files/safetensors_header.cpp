// The header is parsed event by event (SAX): a document tree would drop duplicate keys silently and
// follow any nesting.
#include "tensor/files/safetensors_header.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "tensor/error.hpp"

namespace qisa {
namespace {

using nlohmann::json;

/// Bytes of one item of a dtype, or 0 when there is no such dtype.
Index item_size(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

/// Receives the events of the JSON parser and builds metadata and entries from them. Throws at the
/// first event that the format has no place for.
class HeaderReader final : public nlohmann::json_sax<json> {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}

  /// What was read.
  SafetensorsHeader header;

  bool start_object(std::size_t) override {
    if (place_ == Place::file) {
      place_ = Place::header;
    } else if (place_ == Place::header && name_ == "__metadata__") {
      place_ = Place::metadata;
    } else if (place_ == Place::header) {
      place_ = Place::entry;
      entry_ = SafetensorsEntry();
      entry_.name = name_;
      fields_.clear();
    } else {
      refuse("an object");
    }
    return true;
  }

  bool key(string_t& key) override {
    if (place_ == Place::header) {
      require(names_.insert(key).second, "{}: the key {} occurs twice", file_, quoted_for_error(key));
      name_ = key;
    } else if (place_ == Place::metadata) {
      require(!header.metadata.contains(key), "{}: the metadata key {} occurs twice", file_, quoted_for_error(key));
    } else {
      require(key == "dtype" || key == "shape" || key == "data_offsets",
              "{}: tensor {} has the unknown key {}: expected dtype, shape and data_offsets", file_,
              quoted_for_error(name_), quoted_for_error(key));
      require(fields_.insert(key).second, "{}: tensor {} has two {}", file_, quoted_for_error(name_), key);
    }
    key_ = key;
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      header.metadata[key_] = value;
    } else if (place_ == Place::entry && key_ == "dtype") {
      entry_.dtype = value;
    } else {
      refuse("a string");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::entry || key_ == "dtype") refuse("a list");
    place_ = Place::list;
    numbers_.clear();
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::list || !std::in_range<Index>(value)) refuse(fmt::format("{}", value));
    numbers_.push_back(static_cast<Index>(value));
    return true;
  }

  bool end_array() override {
    place_ = Place::entry;
    if (key_ == "shape") {
      try {
        entry_.shape = Shape(numbers_);
      } catch (const Error& error) {
        throw_error("{}: tensor {}: {}", file_, quoted_for_error(name_), error.what());
      }
    } else {
      require(numbers_.size() == 2, "{}: tensor {}: data_offsets must be 2 numbers, not {}", file_,
              quoted_for_error(name_), numbers_.size());
      entry_.begin = numbers_[0];
      entry_.end = numbers_[1];
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::entry) {
      check_entry();
      header.entries.push_back(entry_);
    }
    place_ = place_ == Place::header ? Place::file : Place::header;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    throw_error("{}: the header is not valid JSON in UTF-8 at its byte {}", file_, position);
  }

  bool null() override { refuse("null"); }
  bool boolean(bool value) override { refuse(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { refuse(fmt::format("{}", value)); }  // below 0
  bool number_float(number_float_t, const string_t& text) override { refuse(quoted_for_error(text)); }
  bool binary(binary_t&) override { refuse("bytes"); }

 private:
  enum class Place { file, header, metadata, entry, list };

  [[noreturn]] void refuse(std::string_view found) const {
    const std::string name = quoted_for_error(name_), key = quoted_for_error(key_);
    switch (place_) {
      case Place::file:  // cannot be, as the text begins with '{'
      case Place::header:
        throw_error("{}: {} must be an object, not {}", file_, name, found);
      case Place::metadata:
        throw_error("{}: metadata {} must be a string, not {}", file_, key, found);
      case Place::entry:
        throw_error("{}: tensor {}: {} must be a {}, not {}", file_, name, key, key_ == "dtype" ? "string" : "list",
                    found);
      case Place::list:
        break;
    }
    throw_error("{}: tensor {}: {} must hold whole numbers from 0 to 2^63 - 1, not {}", file_, name, key, found);
  }

  void check_entry() const {
    const std::string name = quoted_for_error(name_);
    for (const char* field : {"dtype", "shape", "data_offsets"})
      require(fields_.contains(field), "{}: tensor {} has no {}", file_, name, field);
    const Index size = item_size(entry_.dtype), bytes = entry_.end - entry_.begin;
    require(size > 0, "{}: tensor {} has the unknown dtype {}", file_, name, quoted_for_error(entry_.dtype));
    require(bytes >= 0, "{}: tensor {}: data_offsets begin at {}, after their end {}", file_, name, entry_.begin,
            entry_.end);
    require(bytes % size == 0 && bytes / size == entry_.shape.size(),
            "{}: tensor {}: {} of shape {} does not fit the {} bytes of data_offsets", file_, name, entry_.dtype,
            entry_.shape, bytes);
  }

  const std::string& file_;
  Place place_ = Place::file;
  std::set<std::string> names_;   // of the header, to find duplicates
  std::string name_, key_;        // the last key of the header, and of an object inside it
  SafetensorsEntry entry_;        // being read, as are:
  std::set<std::string> fields_;  // its keys
  std::vector<Index> numbers_;    // its current list
};

/// Throws unless the entries, in order, cover the data without a hole or an overlap.
void check_layout(const std::string& file, const std::vector<SafetensorsEntry>& entries, std::uint64_t data_size) {
  Index position = 0;
  for (const SafetensorsEntry& entry : entries) {
    require(entry.begin == position, "{}: tensor {} begins at byte {} of the data, expected {}: there is {}", file,
            quoted_for_error(entry.name), entry.begin, position, entry.begin < position ? "an overlap" : "a hole");
    position = entry.end;
  }
  require(static_cast<std::uint64_t>(position) == data_size,
          "{}: the tensors need {} bytes of data, but the file has {}", file, position, data_size);
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size, const std::string& file) {
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  require(text.starts_with('{') && text.ends_with('}'),
          "{}: the header must be a JSON object from its first byte, with only spaces after it", file);
  // A zero byte would be the end of the input to the parser, and whatever follows it not seen.
  require(text.find('\0') == text.npos, "{}: the header is not valid JSON: it has a zero byte", file);

  HeaderReader reader(file);
  json::sax_parse(text, &reader);
  std::vector<SafetensorsEntry>& entries = reader.header.entries;
  std::stable_sort(entries.begin(), entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_layout(file, entries, data_size);
  return std::move(reader.header);
}

std::string quoted_for_error(std::string_view text) {
  const std::string_view start = text.substr(0, 80);
  return json(start).dump(-1, ' ', false, json::error_handler_t::replace) + (start.size() < text.size() ? "..." : "");
}

}  // namespace qisa
