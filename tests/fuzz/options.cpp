#include "apps/shared/options.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "apps/shared/command_line.hpp"
#include "tensor/error.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace qisa::test {
namespace {

/// A file in memory that has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : file_(::memfd_create("config", 0)) {
    if (file_ < 0 || ::write(file_, content.data(), content.size()) != std::ssize(content)) throw Broken("no memory");
  }
  ~MemoryFile() { ::close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return fmt::format("/proc/self/fd/{}", file_); }

 private:
  int file_;
};

TrainOptions parse(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return parse_train_options(static_cast<int>(arguments.size()), argv.data());
}

/// The text up to the next line break, which is removed with it.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

/// What a config file can hold of the options, by way of one.
std::string after_a_round_trip(const std::string& config) {
  const MemoryFile file(config);
  try {
    return to_config(parse({"train", "--config", file.path()}));
  } catch (const Exit& exit) {
    throw Broken(fmt::format("{}\nfor the config file\n{}", exit.text, config));
  }
}

}  // namespace

bool fuzz_options(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> arguments = {"train"};
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    arguments.emplace_back(line.substr(0, line.find('\0')));  // as the system hands arguments over
  }
  const MemoryFile file(text);
  if (!text.empty()) arguments.push_back("--config=" + file.path());
  try {
    const TrainOptions options = parse(arguments);
    const std::string config = to_config(options);
    if (after_a_round_trip(config) != config) throw Broken("options that come back changed:\n" + config);
    options.resolved().training_settings();
    options.model_settings(65);
    return true;
  } catch (const Exit& exit) {
    const bool one_line = exit.text.find('\n') == exit.text.size() - 1;
    if (exit.code != 0 && !one_line) throw Broken("not one line: " + exit.text);
  } catch (const Error&) {
    // Options that train refuses once it has them.
  }
  return false;
}

}  // namespace qisa::test

#ifdef QISA_FUZZ
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  qisa::test::fuzz_options(std::as_bytes(std::span(data, size)));
  return 0;
}
#endif
