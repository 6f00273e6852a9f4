#include "nn/text/text_data.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tensor/error.hpp"
#include "tensor/random.hpp"

namespace qisa {
namespace {

/// A batch whose row r is the window that begins at token start(r).
template <class Start>
Batch gather(std::span<const std::int32_t> tokens, Index sequences, Index length, Start start) {
  Batch batch{{}, {}, sequences};
  batch.inputs.reserve(sequences * length);
  batch.targets.reserve(sequences * length);
  for (Index row = 0; row < sequences; ++row) {
    const auto first = tokens.begin() + start(row);
    batch.inputs.insert(batch.inputs.end(), first, first + length);
    batch.targets.insert(batch.targets.end(), first + 1, first + 1 + length);
  }
  return batch;
}

}  // namespace

TextData split(std::vector<std::int32_t> tokens, Index block_size, double fraction) {
  require(block_size >= 1, "block_size {} is not positive", block_size);
  require(fraction > 0 && fraction < 1, "the validation fraction {} is not between 0 and 1", fraction);
  constexpr Index million = 1'000'000;  // in integers, as 0.9 n is not exact in floating point
  const Index train_size = std::ssize(tokens) * (million - std::llround(fraction * million)) / million;
  const Index shorter = std::min(train_size, std::ssize(tokens) - train_size);
  require(shorter > block_size,
          "the {} part has {} of the text's {} tokens, but block_size {} needs at least {}: take a longer text or a "
          "smaller block_size",
          shorter == train_size ? "training" : "validation", shorter, tokens.size(), block_size, block_size + 1);
  return {std::move(tokens), train_size};
}

Batch draw_rows(std::span<const std::int32_t> tokens, Index first_row, Index rows, Index length, std::uint64_t seed,
                std::uint32_t step) {
  const Index starts = std::ssize(tokens) - length;
  require(length >= 1 && starts >= 1, "a window of length {} needs {} tokens, but there are {}", length, length + 1,
          tokens.size());
  return gather(tokens, rows, length, [&](Index row) {
    return Random(seed, Purpose::batches, step, static_cast<std::uint32_t>(first_row + row)).below(starts);
  });
}

Index window_count(std::span<const std::int32_t> tokens, Index length) {
  require(length >= 1, "the length {} of a window is not positive", length);
  return tokens.empty() ? 0 : (std::ssize(tokens) - 1) / length;
}

Batch windows(std::span<const std::int32_t> tokens, Index first_window, Index count, Index length) {
  const Index available = window_count(tokens, length);
  require(first_window >= 0 && count >= 0 && count <= available - first_window,
          "windows {} to {} are not all there: {} tokens have {} windows of length {}", first_window,
          first_window + count - 1, tokens.size(), available, length);
  return gather(tokens, count, length, [&](Index row) { return (first_window + row) * length; });
}

}  // namespace qisa
