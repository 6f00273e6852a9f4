// Writing tensors to safetensors files; safetensors.hpp has the format, and reads them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.hpp"

namespace qisa {

/// Collects tensors and metadata, then writes them to a file. The same content gives the same
/// bytes, in whatever order it was added: metadata and tensors are sorted by name, tensors of 8-byte
/// items before those of 4-byte items, so that every tensor is aligned to its item size.
class SafetensorsWriter {
 public:
  /// Throws, as does add(), when the key was added before or a text is not UTF-8.
  void add_metadata(const std::string& key, const std::string& value);
  /// A tensor of Real: F32, or F64 in the double build. It shares the tensor's storage, so what is
  /// written are the values at the time of writing. Throws for an empty Tensor().
  void add(const std::string& name, const Tensor& tensor);
  /// A copy of row-major integers, as I64. Throws when their number is not shape.size().
  void add(const std::string& name, const Shape& shape, std::span<const Index> integers);

  /// Replaces the file as write_atomically() does (atomic_file.hpp), and throws what it throws.
  void write(const std::filesystem::path& path) const;
  /// What write() writes.
  std::vector<std::byte> bytes() const;

 private:
  struct Item {
    std::string_view dtype;
    Index item_size;
    Shape shape;
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;  // keeps `bytes` alive
  };
  void insert(const std::string& name, Item item);
  /// The parts of the file; `header` receives the first.
  std::vector<std::span<const std::byte>> pieces(std::string& header) const;

  std::map<std::string, std::string> metadata_;
  std::map<std::string, Item> items_;
};

}  // namespace qisa
