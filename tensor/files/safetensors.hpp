// Reading tensors from safetensors files; safetensors_writer.hpp writes them.
//
// The format (https://github.com/huggingface/safetensors): 8 bytes hold the length of the header as
// a little-endian number; the header is JSON,
//   {"__metadata__": {"key": "value"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
// and the rest of the file is the data, row-major and little-endian, to which the offsets refer.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/files/safetensors_header.hpp"
#include "tensor/tensor.hpp"

namespace qisa {

/// The content of one file. Reading checks the whole header before it makes room for the data, so
/// nothing that is asked of a SafetensorsFile later can lie outside it.
class SafetensorsFile {
 public:
  /// Throws when there is no such file, it cannot be read, or it breaks a rule of the format.
  /// The message names the file, the tensor and the rule.
  static SafetensorsFile read(const std::filesystem::path& path);

  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  /// All tensors, in the order of their data.
  const std::vector<SafetensorsEntry>& entries() const { return header_.entries; }

  bool contains(std::string_view name) const { return places_.contains(name); }
  /// Throws, as do tensor() and bytes(), when the file has no tensor of this name.
  const SafetensorsEntry& entry(std::string_view name) const;
  /// The values of an F64, F32, F16 or BF16 tensor, converted to Real. Throws for other dtypes.
  Tensor tensor(std::string_view name) const;
  /// The bytes of a tensor of any dtype.
  std::span<const std::byte> bytes(std::string_view name) const;

 private:
  std::string name_;
  SafetensorsHeader header_;
  std::map<std::string, std::size_t, std::less<>> places_;  // of the entries, by name
  std::vector<std::byte> data_;
};

}  // namespace qisa
