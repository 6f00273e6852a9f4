// Safetensors files as strings of bytes, put together without the writer.
#pragma once

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tensor/files/safetensors.hpp"
#include "tensor/files/safetensors_writer.hpp"
#include "tests/tensor/files.hpp"

namespace qisa::test {

/// A file from its parts. The length of the header comes first, lowest byte first.
inline std::string file_of(const std::string& header, const std::string& data = "") {
  std::string length(8, '\0');
  std::size_t rest = header.size();
  for (char& byte : length) {
    byte = static_cast<char>(rest % 256);
    rest /= 256;
  }
  return length + header + data;
}

/// What `read` makes of the path of a file with these bytes.
template <class Read>
auto from_bytes(const std::string& bytes, const Read& read) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path / "test.safetensors";
  std::ofstream(path, std::ios::binary) << bytes;
  return read(path);
}

inline SafetensorsFile parse(const std::string& bytes) { return from_bytes(bytes, SafetensorsFile::read); }

/// What a writer writes.
inline std::string bytes_of(const SafetensorsWriter& writer) {
  const TemporaryFolder folder;
  writer.write(folder.path / "file");
  std::ifstream stream(folder.path / "file", std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void check_values(const Tensor& tensor, const std::vector<Real>& expected) {
  CHECK((std::vector<Real>(tensor.values().begin(), tensor.values().end()) == expected));
}

/// The numbers of a tensor of I64 or I32.
inline std::vector<Index> integers_of(const SafetensorsFile& file, const std::string& name) {
  const std::string& dtype = file.entry(name).dtype;
  REQUIRE((dtype == "I64" || dtype == "I32"));
  const std::size_t size = dtype == "I64" ? 8 : 4;
  const auto bytes = file.bytes(name);
  std::vector<Index> numbers;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    std::int64_t wide = 0;
    std::int32_t narrow = 0;
    size == 8 ? std::memcpy(&wide, &bytes[at], 8) : std::memcpy(&narrow, &bytes[at], 4);
    numbers.push_back(size == 8 ? wide : narrow);
  }
  return numbers;
}

/// A small file: its second tensor lies first in the data.
inline const std::string small_header =
    R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
    R"("b":{"dtype":"I16","shape":[1,2],"data_offsets":[0,4]}}  )";
inline const std::string small_data =
    std::string("\x01\x00\xfe\xff\x00\x00\x80\x3f\x00\x00\x20\xc0", 12);  // 1, -2 and 1, -2.5

}  // namespace qisa::test
