// How a text begins that nobody began.
#pragma once

#include "nn/gpt.hpp"
#include "nn/text/tokenizer.hpp"

namespace qisa {

/// The line break, if the model has one: the beginning of a line. Otherwise the character that the model itself
/// writes most often, as far as it knows from one character of context.
std::int32_t opening_token(const GPT& model, const Tokenizer& tokenizer);

}  // namespace qisa
