#include "apps/shared/opening.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "nn/sampler.hpp"

namespace qisa {
namespace {

/// How often each character follows, if the one before it is drawn from `before`: the sum over c of
/// before[c] P(next | c).
std::vector<double> followers(const GPT& model, const std::vector<double>& before) {
  constexpr Index most = 256;  // contexts at once
  const Index characters = std::ssize(before);
  std::vector<std::int32_t> contexts(before.size());
  std::iota(contexts.begin(), contexts.end(), 0);
  std::vector<double> after(before.size(), 0);
  Pass pass(model.parameters());
  for (Index first = 0; first < characters; first += most) {
    const Index rows = std::min(most, characters - first);
    const auto part = std::span<const std::int32_t>(contexts).subspan(static_cast<std::size_t>(first),
                                                                      static_cast<std::size_t>(rows));
    const Tensor logits = model.logits(pass, part, rows).value();  // [rows, vocabulary]
    for (Index row = 0; row < rows; ++row) {
      const auto likely = sampling_probabilities(logits.part(row * characters, {characters}).values(), {});
      for (std::size_t next = 0; next < after.size(); ++next) {
        after[next] += before[static_cast<std::size_t>(first + row)] * likely[next];
      }
    }
  }
  return after;
}

}  // namespace

std::int32_t opening_token(const GPT& model, const Tokenizer& tokenizer) {
  const auto line_break = tokenizer.vocabulary().find(U'\n');
  if (line_break != std::u32string::npos) return static_cast<std::int32_t>(line_break);
  std::vector<double> often(tokenizer.vocabulary().size(), 1 / static_cast<double>(tokenizer.size()));
  for (int step = 0; step < 3; ++step) often = followers(model, often);  // near what a long text has
  return static_cast<std::int32_t>(std::max_element(often.begin(), often.end()) - often.begin());
}

}  // namespace qisa
