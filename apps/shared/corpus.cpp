#include "apps/shared/corpus.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "nn/text/builtin_corpus.hpp"

namespace qisa {
namespace {

constexpr const char* downloaded = "data/shakespeare.txt";
constexpr Index builtin_length = 1'000'000;
constexpr std::uint64_t builtin_seed = 1;

}  // namespace

Corpus load_corpus(const std::string& data, const Tokenizer* tokenizer) {
  const bool found = std::filesystem::exists(downloaded);
  if (data == "builtin" || (data.empty() && !found)) {
    const char* reason = data.empty() ? " (no data/shakespeare.txt; `make data` fetches it)" : "";
    return {encode_text(builtin_corpus(builtin_seed, builtin_length), "the built-in play", tokenizer), "builtin",
            fmt::format("the built-in play{}, entropy {:.4f} nats a character", reason, builtin_corpus_entropy()),
            true};
  }
  const std::string path = data.empty() ? downloaded : data;
  return {read_tokens(path, tokenizer), path, path};
}

std::string fingerprint(const EncodedText& text) { return fmt::format("{:016x}", text.hash); }

}  // namespace qisa
