// Writing tensors to safetensors files; safetensors.hpp has the format, and reads them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tensor/tensor.hpp"

namespace qisa {

/// Collects tensors and metadata, then writes them to a file. The same content gives the same
/// bytes, in whatever order it was added: metadata and tensors are sorted by name.
class SafetensorsWriter {
 public:
  /// Throws, as does add(), when the key was added before or a text is not UTF-8.
  void add_metadata(const std::string& key, const std::string& value);
  /// A tensor of Real: F32, or F64 in the double build. It shares the tensor's storage, so what is
  /// written are the values at the time of writing. Throws for an empty Tensor().
  void add(const std::string& name, const Tensor& tensor);

  /// Replaces the file as write_atomically() does (atomic_file.hpp), and throws what it throws.
  void write(const std::filesystem::path& path) const;

 private:
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace qisa
