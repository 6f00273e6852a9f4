// Text for training and evaluation: a file's text, its split, and batches of windows of tokens.
//
// A window of length T is T inputs and T targets, the inputs shifted by one: T + 1 tokens of the text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tensor/real.hpp"

namespace qisa {

/// The text of a file. Throws when there is no such file, or it is a folder, cannot be read, is
/// empty or is not valid UTF-8.
std::string read_text(const std::filesystem::path& path);

/// A text's tokens in two parts, in their order. (The code of arXiv:2603.03318 splits twice, so that
/// it trains on 64 % of the text and tests on 4 %; here a split is made once.)
struct TextData {
  std::vector<std::int32_t> train, validation;
};

/// The last `fraction` of the tokens (taken to six decimals, rounded up to a whole token) is for
/// validation, what comes before for training: with 0.1, train is floor(0.9 n). Throws when a part
/// is too short for one window of block_size.
TextData split(std::span<const std::int32_t> tokens, Index block_size, double fraction = 0.1);

/// Windows of one length: `inputs` and `targets` are [sequences, length], row-major.
struct Batch {
  std::vector<std::int32_t> inputs, targets;
  Index sequences = 0, length = 0;
};

/// A training step's batch. Each window starts at any of the n - length places alike.
/// Throws when `tokens` is shorter than length + 1.
Batch random_batch(std::span<const std::int32_t> tokens, Index sequences, Index length, std::uint64_t seed,
                   std::uint32_t step);

/// Rows first_row … first_row + rows - 1 of random_batch, for any number of sequences: a row is a
/// function of (seed, step, row), so that every shard of a batch can draw its own.
Batch draw_rows(std::span<const std::int32_t> tokens, Index first_row, Index rows, Index length, std::uint64_t seed,
                std::uint32_t step);

/// How many windows lie side by side in the text: floor((n - 1) / length).
Index window_count(std::span<const std::int32_t> tokens, Index length);

/// Windows side by side, for evaluation: row w has the inputs that begin at token (first_window + w)
/// · length. Throws when they are not all among window_count(tokens, length).
Batch windows(std::span<const std::int32_t> tokens, Index first_window, Index count, Index length);

}  // namespace qisa
