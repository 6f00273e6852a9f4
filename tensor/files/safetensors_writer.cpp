#include "tensor/files/safetensors_writer.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tensor/files/atomic_file.hpp"
#include "tensor/files/safetensors_header.hpp"

namespace qisa {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

/// `text` as a JSON string with its quotes.
std::string to_json(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    throw_error("safetensors files hold text in UTF-8, which {} is not", quoted_for_error(text));
  }
}

}  // namespace

void SafetensorsWriter::add_metadata(const std::string& key, const std::string& value) {
  to_json(key), to_json(value);  // throws now, where the caller knows the text, not in write()
  require(metadata_.emplace(key, value).second, "safetensors metadata {} is added twice", quoted_for_error(key));
}

void SafetensorsWriter::add(const std::string& name, const Tensor& tensor) {
  require(!tensor.empty(), "safetensors tensor {} is an empty Tensor(), without a shape", quoted_for_error(name));
  const auto owner = std::make_shared<const Tensor>(tensor);
  const char* dtype = sizeof(Real) == 8 ? "F64" : "F32";
  insert(name, {dtype, sizeof(Real), tensor.shape(), std::as_bytes(owner->values()), owner});
}

void SafetensorsWriter::add(const std::string& name, const Shape& shape, std::span<const Index> integers) {
  require(static_cast<Index>(integers.size()) == shape.size(),
          "safetensors tensor {} of shape {} needs {} integers, not {}", quoted_for_error(name), shape, shape.size(),
          integers.size());
  const auto owner = std::make_shared<const std::vector<Index>>(integers.begin(), integers.end());
  insert(name, {"I64", sizeof(Index), shape, std::as_bytes(std::span(*owner)), owner});
}

void SafetensorsWriter::insert(const std::string& name, Item item) {
  to_json(name);  // throws when it is not UTF-8
  require(name != "__metadata__", "'__metadata__' is no tensor's name: safetensors files keep their metadata there");
  require(items_.emplace(name, std::move(item)).second, "safetensors tensor {} is added twice", quoted_for_error(name));
}

std::vector<std::span<const std::byte>> SafetensorsWriter::pieces(std::string& header) const {
  std::vector<std::string> fields;
  if (!metadata_.empty()) {
    std::vector<std::string> texts;
    for (const auto& [key, value] : metadata_) texts.push_back(fmt::format("{}:{}", to_json(key), to_json(value)));
    fields.push_back(fmt::format("\"__metadata__\":{{{}}}", fmt::join(texts, ",")));
  }

  std::vector<std::span<const std::byte>> pieces(1);
  std::size_t begin = 0;
  for (const Index item_size : {8, 4}) {
    for (const auto& [name, item] : items_) {
      if (item.item_size != item_size) continue;
      const std::size_t end = begin + item.bytes.size();
      fields.push_back(fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", to_json(name),
                                   item.dtype, fmt::join(item.shape, ","), begin, end));
      pieces.push_back(item.bytes);
      begin = end;
    }
  }

  const std::string json = fmt::format("{{{}}}", fmt::join(fields, ","));
  const std::uint64_t length = (json.size() + 7) / 8 * 8;
  header.assign(sizeof length + length, ' ');
  std::memcpy(header.data(), &length, sizeof length);
  std::copy(json.begin(), json.end(), header.begin() + sizeof length);
  pieces.front() = std::as_bytes(std::span(header));
  return pieces;
}

void SafetensorsWriter::write(const std::filesystem::path& path) const {
  std::string header;
  write_atomically(path, pieces(header));
}

std::vector<std::byte> SafetensorsWriter::bytes() const {
  std::string header;
  std::vector<std::byte> result;
  for (const auto piece : pieces(header)) result.insert(result.end(), piece.begin(), piece.end());
  return result;
}

}  // namespace qisa
