#include "tensor/files/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <system_error>

#include "tensor/files/json.hpp"

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
    Real value = std::ldexp(static_cast<Real>(exponent == 0 ? fraction : fraction + 1024), std::max(exponent, 1) - 25);
    if (exponent == 31) value = fraction == 0 ? Limits::infinity() : Limits::quiet_NaN();
    return bits >> 15 != 0 ? -value : value;
  }
};

/// The upper half of a 32-bit float.
struct BFloat16 {
  std::uint16_t bits;
  explicit operator Real() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

/// Reads items of type Stored, at any alignment.
template <class Stored>
void convert(std::span<const std::byte> from, std::span<Real> to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, from.data() + i * sizeof stored, sizeof stored);
    to[i] = static_cast<Real>(stored);
  }
}

}  // namespace

SafetensorsFile SafetensorsFile::read(const std::filesystem::path& path) {
  SafetensorsFile file;
  const std::string& name = file.name_ = path.string();
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  require(is_file, "cannot read {}: {}", name, error ? error.message() : "it is not a file");
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  const auto reason = [] { return std::generic_category().message(errno); };
  require(stream.is_open(), "cannot open {}: {}", name, reason());
  const auto next = [&](std::span<std::byte> space) {
    stream.read(reinterpret_cast<char*>(space.data()), std::ssize(space));
    require(stream.good(), "cannot read {}: {}", name, stream.eof() ? "it became shorter" : reason());
  };
  const std::uint64_t size = stream.tellg();
  stream.seekg(0);

  std::uint64_t length = 0;
  require(size >= sizeof length, "{}: {} bytes are too short for a safetensors file", name, size);
  next(std::as_writable_bytes(std::span(&length, 1)));
  const std::uint64_t rest = size - sizeof length;
  // A file of another kind begins with other bytes, which make a length beyond all measure.
  require(length <= max_header_length, "{}: it is no safetensors file", name);
  require(length <= rest, "{}: the header should have {} bytes, but the file ends after {} of them", name, length,
          rest);
  std::string header(length, '\0');
  next(std::as_writable_bytes(std::span(header)));
  file.header_ = parse_safetensors_header(header, rest - length, name);
  for (std::size_t i = 0; i < file.entries().size(); ++i) file.places_[file.entries()[i].name] = i;
  file.data_.resize(rest - length);
  next(file.data_);
  return file;
}

const SafetensorsEntry& SafetensorsFile::entry(std::string_view name) const {
  const auto found = places_.find(name);
  require(found != places_.end(), "{}: no tensor {} among its {}", name_, quoted_for_error(name), entries().size());
  return entries()[found->second];
}

std::span<const std::byte> SafetensorsFile::bytes(std::string_view name) const {
  const SafetensorsEntry& entry = this->entry(name);
  return std::span(data_).subspan(entry.begin, entry.end - entry.begin);
}

Tensor SafetensorsFile::tensor(std::string_view name) const {
  static const std::map<std::string_view, void (*)(std::span<const std::byte>, std::span<Real>)> converters = {
      {"F64", convert<double>}, {"F32", convert<float>}, {"F16", convert<Half>}, {"BF16", convert<BFloat16>}};
  const SafetensorsEntry& entry = this->entry(name);
  const auto converter = converters.find(entry.dtype);
  require(converter != converters.end(), "{}: tensor {} is {}, not one of F64, F32, F16 and BF16", name_,
          quoted_for_error(name), entry.dtype);
  Tensor result(entry.shape());
  converter->second(bytes(name), result.values());
  return result;
}

}  // namespace qisa
