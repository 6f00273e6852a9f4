// What the fuzz targets check, as plain functions: libFuzzer calls them with bytes of its own making
// (`make fuzz`), tests with a corpus and with damaged files. Each throws Broken when a promise is broken.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>

namespace qisa::test {

struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

/// Loads the bytes as a checkpoint: an Error, or a model that computes logits; and never more than 64 MB of
/// memory for so small a file. Returns whether it was a model.
bool fuzz_checkpoint(std::span<const std::byte> bytes);

/// Parses train's options: the first lines are arguments; after an empty line a config file follows. Either
/// one line of complaint, or options that their own config file gives back. Returns whether it was options.
bool fuzz_options(std::span<const std::byte> bytes);

/// The bytes that this thread has asked of operator new until now.
std::size_t allocated_bytes();

}  // namespace qisa::test
