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
  std::string dtype;  ///< one of the format's: F64, F32, F16, BF16, I64, U8, BOOL, F8_E4M3, …
  std::vector<std::uint64_t> sizes;
  std::uint64_t begin = 0, end = 0;  ///< its bytes, counted from the start of the data

  /// Its sizes. Throws when they are no Shape: the format sets no bound to their number, nor to them.
  Shape shape() const { return Shape(std::vector<Index>(sizes.begin(), sizes.end())); }
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsEntry> entries;  ///< in the order of their data
};

/// Parses the JSON `text` of the header of a file with `data_size` bytes of data, and takes what the format's own
/// reader (version 0.8) takes: of a name that occurs twice, the last counts, and unknown keys of a tensor are passed
/// over. Throws, naming `file`, the tensor and what was expected, unless the text is JSON in UTF-8 of the format's
/// structure, each tensor's bytes are those of its dtype and sizes, and the tensors fill the data without a hole or
/// an overlap.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size, const std::string& file);

}  // namespace qisa
