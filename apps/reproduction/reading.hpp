// Who reads whom: how much the output of a position takes from each position of the context.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "nn/gpt.hpp"
#include "nn/text/tokenizer.hpp"

namespace qisa {

/// What the outputs of one head take from the values, position by position.
struct ReadingMap {
  std::vector<std::string> characters;       // at positions 1 … T
  std::vector<std::vector<double>> weights;  // [output position][position read]
};

/// The map of head 1 of layer 1 for one sequence. Under causal aggregation nothing is right of the diagonal,
/// under transposed aggregation nothing left of it.
ReadingMap reading_map(const GPT& model, std::span<const std::int32_t> tokens, const Tokenizer& tokenizer);

/// Part of a sentence: the beginning of the text's first line of `length` characters or more; of the text, if
/// it has no such line. Throws when the text is shorter.
std::vector<std::int32_t> sentence(std::span<const std::int32_t> tokens, Index length, const Tokenizer& tokenizer);

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ReadingMap, characters, weights)

}  // namespace qisa
