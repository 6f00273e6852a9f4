// The header of a safetensors file: what the file holds and where. safetensors.hpp reads the rest.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/shape.hpp"

namespace qisa {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;  ///< F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL
  Shape shape;
  Index begin = 0, end = 0;  ///< its bytes, counted from the start of the data
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsEntry> entries;  ///< in the order of their data
};

/// Parses the JSON `text` of the header of a file with `data_size` bytes of data.
/// Throws, naming `file`, the tensor and what was expected, unless everything holds: the text is
/// JSON in UTF-8 of exactly the format's structure, no key occurs twice, each tensor's bytes are
/// those of its dtype and shape, and the tensors fill the data without a hole or an overlap.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size, const std::string& file);

/// `text` in quotes for an error message: on one line and cut when it is long.
std::string quoted_for_error(std::string_view text);

}  // namespace qisa
