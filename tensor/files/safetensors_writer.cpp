#include "tensor/files/safetensors_writer.hpp"

#include <fmt/ranges.h>

#include <cstdint>
#include <vector>

#include "tensor/files/atomic_file.hpp"
#include "tensor/files/json.hpp"

namespace qisa {

void SafetensorsWriter::add_metadata(const std::string& key, const std::string& value) {
  require_utf8(key), require_utf8(value);  // now, where the caller knows the text, not in write()
  require(metadata_.emplace(key, value).second, "safetensors metadata {} is added twice", quoted_for_error(key));
}

void SafetensorsWriter::add(const std::string& name, const Tensor& tensor) {
  require_utf8(name);
  require(!tensor.empty(), "safetensors tensor {} is an empty Tensor(), without a shape", quoted_for_error(name));
  require(name != "__metadata__", "'__metadata__' is no tensor's name: safetensors files keep their metadata there");
  require(tensors_.emplace(name, tensor).second, "safetensors tensor {} is added twice", quoted_for_error(name));
}

void SafetensorsWriter::write(const std::filesystem::path& path) const {
  std::string entries = metadata_.empty() ? "" : fmt::format(",\"__metadata__\":{}", nlohmann::json(metadata_).dump());
  std::vector<std::span<const std::byte>> pieces(1);
  std::size_t begin = 0;
  for (const auto& [name, tensor] : tensors_) {
    pieces.push_back(std::as_bytes(tensor.values()));
    const std::size_t end = begin + pieces.back().size();
    entries += fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", nlohmann::json(name).dump(),
                           sizeof(Real) == 8 ? "F64" : "F32", fmt::join(tensor.shape(), ","), begin, end);
    begin = end;
  }
  std::string header = fmt::format("{{{}}}", std::string_view(entries).substr(entries.empty() ? 0 : 1));
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = header.size();
  header.insert(0, reinterpret_cast<const char*>(&length), sizeof length);
  pieces.front() = std::as_bytes(std::span(header));
  write_atomically(path, pieces);
}

}  // namespace qisa
