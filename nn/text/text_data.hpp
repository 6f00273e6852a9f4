// Text for training and evaluation: its split, and batches of windows of tokens.
//
// A window of length T is T inputs and T targets, the inputs shifted by one: T + 1 tokens of the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor/real.hpp"

namespace qisa {

/// A text's tokens in two parts, in their order. (The code of arXiv:2603.03318 splits twice, so that
/// it trains on 64 % of the text and tests on 4 %; here a split is made once.)
struct TextData {
  std::vector<std::int32_t> tokens;
  Index train_size = 0;
  std::span<const std::int32_t> train() const { return std::span(tokens).first(train_size); }
  std::span<const std::int32_t> validation() const { return std::span(tokens).subspan(train_size); }
};

/// The last `fraction` of the tokens (taken to six decimals, rounded up to a whole token) is for
/// validation, what comes before for training: with 0.1, train is floor(0.9 n). Throws when a part
/// is too short for one window of block_size.
TextData split(std::vector<std::int32_t> tokens, Index block_size, double fraction = 0.1);

/// Windows of one length: `inputs` and `targets` are [sequences, length], row-major.
struct Batch {
  std::vector<std::int32_t> inputs, targets;
  Index sequences = 0;
};

/// Rows first_row … first_row + rows - 1 of a training step's batch: windows that start at any of the n - length
/// places alike. A row is a function of (seed, step, row), so that every shard of a batch can draw its own.
/// Throws when `tokens` is shorter than length + 1.
Batch draw_rows(std::span<const std::int32_t> tokens, Index first_row, Index rows, Index length, std::uint64_t seed,
                std::uint32_t step);

/// How many windows lie side by side in the text: floor((n - 1) / length).
Index window_count(std::span<const std::int32_t> tokens, Index length);

/// Windows side by side, for evaluation: row w has the inputs that begin at token (first_window + w)
/// · length. Throws when they are not all among window_count(tokens, length).
Batch windows(std::span<const std::int32_t> tokens, Index first_window, Index count, Index length);

}  // namespace qisa
