// The fuzz targets on their corpus: tests/fuzz/corpus/TARGET/ holds inputs that `make fuzz` begins with, and
// those that once broke something.
#include <filesystem>
#include <fstream>

#include "tests/catch.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qisa::test;

namespace corpus_test {

/// Calls a target with every file of its corpus. Returns how many of them it accepted, and how many not.
std::pair<int, int> replay(const std::string& name, bool (*target)(std::span<const std::byte>)) {
  int accepted = 0, refused = 0;
  for (const auto& item : std::filesystem::directory_iterator(QISA_SOURCE_DIR "/tests/fuzz/corpus/" + name)) {
    INFO(item.path());
    std::ifstream stream(item.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(stream), {});
    CHECK(!bytes.empty());
    ++(target(std::as_bytes(std::span(bytes))) ? accepted : refused);
  }
  return {accepted, refused};
}

TEST_CASE("The corpus of checkpoints: models, and files that are refused") {
  const auto [models, refused] = replay("checkpoint", fuzz_checkpoint);
  CHECK(models >= 3);
  CHECK(refused >= 3);
}

TEST_CASE("The corpus of options: those that train, and those that are refused") {
  const auto [options, refused] = replay("options", fuzz_options);
  CHECK(options >= 3);
  CHECK(refused >= 3);
}

}  // namespace corpus_test
