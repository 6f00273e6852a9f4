#include "tensor/files/safetensors.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <system_error>

namespace qisa {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::uint64_t max_header_length = 100'000'000;  // as in the format's own reader

/// An IEEE half: sign, 5 bits of exponent (bias 15), 10 bits of fraction.
struct Half {
  std::uint16_t bits;
  explicit operator Real() const {
    using Limits = std::numeric_limits<Real>;
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    Real value = std::ldexp(static_cast<Real>(fraction + 1024), exponent - 25);
    if (exponent == 0) value = std::ldexp(static_cast<Real>(fraction), -24);
    if (exponent == 31) value = fraction == 0 ? Limits::infinity() : Limits::quiet_NaN();
    return bits >> 15 != 0 ? -value : value;
  }
};

/// The upper half of a 32-bit float.
struct BFloat16 {
  std::uint16_t bits;
  explicit operator Real() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

/// Reads items of type Stored, at any alignment.
template <class Stored, class Value>
void convert(const std::byte* from, std::span<Value> to) {
  for (Value& value : to) {
    Stored stored;
    std::memcpy(&stored, from, sizeof stored);
    value = static_cast<Value>(stored);
    from += sizeof stored;
  }
}

}  // namespace

SafetensorsFile SafetensorsFile::read(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  require(is_file, "cannot read {}: {}", name, error ? error.message() : "it is not a file");
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  const auto reason = [] { return std::generic_category().message(errno); };
  require(stream.is_open(), "cannot open {}: {}", name, reason());
  const auto next = [&](std::span<std::byte> space) {
    stream.read(reinterpret_cast<char*>(space.data()), static_cast<std::streamsize>(space.size()));
    require(stream.good(), "cannot read {}: {}", name, stream.eof() ? "it became shorter" : reason());
  };
  const std::streamoff size = stream.tellg();
  stream.seekg(0);
  return load(next, static_cast<std::size_t>(size), name);
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  std::span<const std::byte> rest = bytes;
  const auto next = [&](std::span<std::byte> space) {
    std::copy_n(rest.begin(), space.size(), space.begin());
    rest = rest.subspan(space.size());
  };
  return load(next, bytes.size(), name);
}

SafetensorsFile SafetensorsFile::load(const Source& next, std::size_t size, const std::string& name) {
  std::uint64_t length = 0;
  require(size >= sizeof length, "{}: {} bytes are too short for a safetensors file", name, size);
  next(std::as_writable_bytes(std::span(&length, 1)));
  const std::uint64_t rest = size - sizeof length;
  require(length <= max_header_length,
          "{}: a header of {} bytes is longer than the {} allowed: not a safetensors file?", name, length,
          max_header_length);
  require(length <= rest, "{}: the header should have {} bytes, but the file ends after {} of them", name, length,
          rest);

  std::string header(length, '\0');
  next(std::as_writable_bytes(std::span(header)));
  SafetensorsFile file;
  file.name_ = name;
  file.header_ = parse_safetensors_header(header, rest - length, name);
  for (std::size_t i = 0; i < file.entries().size(); ++i) file.places_[file.entries()[i].name] = i;
  file.data_.resize(rest - length);
  next(file.data_);
  return file;
}

bool SafetensorsFile::contains(std::string_view name) const { return places_.contains(name); }

const SafetensorsEntry& SafetensorsFile::entry(std::string_view name) const {
  const auto found = places_.find(name);
  if (found != places_.end()) return entries()[found->second];
  const std::size_t count = entries().size();
  require(count <= 12, "{}: no tensor {} among its {}", name_, quoted_for_error(name), count);
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : entries()) names.push_back(quoted_for_error(entry.name));
  throw_error("{}: no tensor {}, only [{}]", name_, quoted_for_error(name), fmt::join(names, ", "));
}

Tensor SafetensorsFile::tensor(std::string_view name) const {
  const SafetensorsEntry& entry = this->entry(name);
  const std::byte* from = data_.data() + entry.begin;
  Tensor result(entry.shape);
  if (entry.dtype == "F64") {
    convert<double>(from, result.values());
  } else if (entry.dtype == "F32") {
    convert<float>(from, result.values());
  } else if (entry.dtype == "F16") {
    convert<Half>(from, result.values());
  } else if (entry.dtype == "BF16") {
    convert<BFloat16>(from, result.values());
  } else {
    throw_error("{}: tensor {} is {}, not floating point: read it as integers", name_, quoted_for_error(name),
                entry.dtype);
  }
  return result;
}

std::vector<Index> SafetensorsFile::integers(std::string_view name) const {
  const SafetensorsEntry& entry = this->entry(name);
  const std::byte* from = data_.data() + entry.begin;
  std::vector<Index> result(static_cast<std::size_t>(entry.shape.size()));
  const std::span<Index> values(result);
  if (entry.dtype == "I64") {
    convert<std::int64_t>(from, values);
  } else if (entry.dtype == "I32") {
    convert<std::int32_t>(from, values);
  } else if (entry.dtype == "I16") {
    convert<std::int16_t>(from, values);
  } else if (entry.dtype == "I8") {
    convert<std::int8_t>(from, values);
  } else if (entry.dtype == "U8" || entry.dtype == "BOOL") {
    convert<std::uint8_t>(from, values);
  } else {
    throw_error("{}: tensor {} is {}, not integers: read it as a tensor", name_, quoted_for_error(name), entry.dtype);
  }
  return result;
}

}  // namespace qisa
