#include "apps/shared/corpus.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "nn/text/builtin_corpus.hpp"
#include "nn/text/text_data.hpp"

namespace qisa {
namespace {

constexpr const char* downloaded = "data/shakespeare.txt";
constexpr Index builtin_length = 1'000'000;
constexpr std::uint64_t builtin_seed = 1;

}  // namespace

Corpus load_corpus(const std::string& data) {
  const bool found = std::filesystem::exists(downloaded);
  if (data == "builtin" || (data.empty() && !found)) {
    const char* reason = data.empty() ? " (no data/shakespeare.txt; `make data` fetches it)" : "";
    return {builtin_corpus(builtin_seed, builtin_length),
            fmt::format("the built-in play{}, entropy {:.4f} nats a character", reason, builtin_corpus_entropy()),
            true};
  }
  const std::string path = data.empty() ? downloaded : data;
  return {read_text(path), path};
}

std::string fingerprint(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

}  // namespace qisa
