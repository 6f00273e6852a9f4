// Text from a model, one token after the other.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "nn/gpt.hpp"

namespace qisa {

struct SamplingSettings {
  double temperature = 1;  // divides the logits; 0 takes the likeliest token always
  Index top_k = 0;         // only the k likeliest tokens; 0: all
  double top_p = 1;        // only the likeliest tokens whose probabilities sum to p (Holtzman et al., arXiv 1904.09751)
  std::uint64_t seed = 1337;

  /// Throws when a number is out of range.
  void validate() const;
};

/// The probabilities that a token is drawn with, given logits: temperature, then top_k, then top_p.
std::vector<double> sampling_probabilities(std::span<const Real> logits, const SamplingSettings& settings);

/// Continues one text. The context is the last block_size tokens. While it fits, keys and values of
/// earlier positions are cached; once the window slides, every position changes and it is computed anew.
class Sampler {
 public:
  /// `number` distinguishes samples of one seed. `model` must outlive the sampler and not change.
  /// Throws when the prompt is empty.
  Sampler(const GPT& model, const SamplingSettings& settings, std::vector<std::int32_t> prompt,
          std::uint32_t number = 0);

  /// Draws the next token and appends it.
  std::int32_t next();

 private:
  /// Logits of the token after the context.
  Tensor next_logits();

  const GPT* model_;
  SamplingSettings settings_;
  Random random_;
  std::vector<std::int32_t> tokens_;
  Pass pass_;
  std::optional<GenerationCache> cache_;  // of tokens_, up to the last few; none if nothing can be cached
};

}  // namespace qisa
