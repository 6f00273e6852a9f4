// Safetensors files as strings of bytes, put together without the writer.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "tensor/files/safetensors.hpp"
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

inline SafetensorsFile parse(const std::string& bytes) {
  return SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "test.safetensors");
}

inline std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void check_values(const Tensor& tensor, const std::vector<Real>& expected) {
  CHECK((std::vector<Real>(tensor.values().begin(), tensor.values().end()) == expected));
}

/// The numbers of an I64 tensor.
inline std::vector<Index> integers_of(const SafetensorsFile& file, const std::string& name) {
  REQUIRE(file.entry(name).dtype == "I64");
  const auto bytes = file.bytes(name);
  std::vector<Index> numbers(bytes.size() / sizeof(Index));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

/// A small file: its second tensor lies first in the data.
inline const std::string small_header =
    R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
    R"("b":{"dtype":"I16","shape":[1,2],"data_offsets":[0,4]}}  )";
inline const std::string small_data =
    std::string("\x01\x00\xfe\xff\x00\x00\x80\x3f\x00\x00\x20\xc0", 12);  // 1, -2 and 1, -2.5

}  // namespace qisa::test
