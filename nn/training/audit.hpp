// The causality audit: does a model read the characters that it is to predict? Found out by trial, whatever
// the model's settings say.
#pragma once

#include <span>

#include "nn/gpt.hpp"

namespace qisa {

/// What came of replacing tokens, one at a time. In a causal model no logit before the replaced token moves.
struct CausalityAudit {
  Index changes = 0;  // tokens replaced
  // The change that moved most positions before it; if there are several, the one that moved a logit furthest.
  Index position = 0;         // of the replaced token in its window, from 0
  Index moved_positions = 0;  // positions before it where some logit is not the same to the last bit
  double largest_move = 0;    // of a logit at these positions

  bool causal() const { return moved_positions == 0; }
};

/// Tries every position but the first (nothing is before it) of up to `windows` windows that are spread
/// evenly over `tokens`. Throws when the text has no window.
CausalityAudit audit_causality(const GPT& model, std::span<const std::int32_t> tokens, Index windows = 4);

}  // namespace qisa
