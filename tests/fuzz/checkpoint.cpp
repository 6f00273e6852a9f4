#include "nn/files/checkpoint.hpp"

#include <unistd.h>

#include <fstream>

#include "tests/fuzz/fuzz.hpp"

namespace qisa::test {
namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20;

bool is_model(const std::filesystem::path& path, NonFinite weights) {
  try {
    const Checkpoint checkpoint = load_checkpoint(path, weights);
    Pass pass(checkpoint.model.parameters());
    const Tensor logits = checkpoint.model.logits(pass, std::vector<std::int32_t>{0}, 1).value();
    if (logits.size() != checkpoint.tokenizer.size()) throw Broken("a model without a logit for each character");
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

bool fuzz_checkpoint(std::span<const std::byte> bytes) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("qisa-fuzz-{}", ::getpid());
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  const std::size_t before = allocated_bytes();
  const bool loads = is_model(path, NonFinite::allow);
  const std::size_t allocated = allocated_bytes() - before;
  if (allocated > most_bytes) throw Broken(fmt::format("{} bytes for a file of {}", allocated, bytes.size()));
  const bool is_finite = loads && is_model(path, NonFinite::refuse);
  std::filesystem::remove(path);
  return is_finite;
}

}  // namespace qisa::test

#ifdef QISA_FUZZ
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  qisa::test::fuzz_checkpoint(std::as_bytes(std::span(data, size)));
  return 0;
}
#endif
