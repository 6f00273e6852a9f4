#include "apps/shared/corpus.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <utility>

#include "nn/text/builtin_corpus.hpp"

namespace qisa {
namespace {

constexpr const char* downloaded = "data/shakespeare.txt";
constexpr Index builtin_length = 1'000'000;
constexpr std::uint64_t builtin_seed = 1;

/// Shows on a terminal how much of a long text is read. The line goes when all is, or reading fails.
class ReadingLine {
 public:
  explicit ReadingLine(std::string path) : path_(std::move(path)) {}
  ~ReadingLine() { write("\r\x1b[K"); }

  void operator()(std::uint64_t done, std::uint64_t all) {
    constexpr std::uint64_t enough = 16'000'000;  // bytes that are read in no time
    if (done - drawn_ < enough || !is_terminal_) return;
    drawn_ = done;
    write(all > 0 ? fmt::format("\rreading {}, {} %", path_, 100 * done / all)
                  : fmt::format("\rreading {}, {} MB", path_, done / 1'000'000));
  }

 private:
  void write(const std::string& text) const {
    if (drawn_ > 0) [[maybe_unused]]
      const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
  }

  std::string path_;
  std::uint64_t drawn_ = 0;
  bool is_terminal_ = ::isatty(STDOUT_FILENO) == 1;
};

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
  ReadingLine line(path);
  return {read_tokens(path, tokenizer, std::ref(line)), path, path};
}

std::string fingerprint(const EncodedText& text) { return fmt::format("{:016x}", text.hash); }

}  // namespace qisa
