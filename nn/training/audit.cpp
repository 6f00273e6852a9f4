#include "nn/training/audit.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "nn/text/text_data.hpp"

namespace qisa {
CausalityAudit audit_causality(const GPT& model, std::span<const std::int32_t> tokens, Index count) {
  const Index length = model.settings().block_size, vocabulary = model.settings().vocabulary_size;
  const Index available = window_count(tokens, length);
  count = std::min(count, available);
  require(count > 0, "a text of {} characters has no window of {} and a next character", tokens.size(), length);
  CausalityAudit audit;
  if (vocabulary == 1) return audit;  // there is no other token to put in

  Pass pass(model.parameters());
  for (Index number = 0; number < count; ++number) {
    std::vector<std::int32_t> window = windows(tokens, number * available / count, 1, length).inputs;
    const Tensor before = model.logits(pass, window, 1).value();
    for (Index position = 1; position < length; ++position) {
      const std::int32_t token = window[position];
      window[position] = static_cast<std::int32_t>((token + 1 + position % (vocabulary - 1)) % vocabulary);
      const Tensor after = model.logits(pass, window, 1).value();
      window[position] = token;
      Index moved = 0;
      double largest = 0;
      for (Index earlier = 0; earlier < position; ++earlier) {
        double move = 0;
        for (Index i = earlier * vocabulary; i < (earlier + 1) * vocabulary; ++i) {
          move = std::max(move, std::abs(static_cast<double>(after[i]) - static_cast<double>(before[i])));
        }
        moved += move > 0;
        largest = std::max(largest, move);
      }
      ++audit.changes;
      if (std::tie(moved, largest) > std::tie(audit.moved_positions, audit.largest_move)) {
        audit = {audit.changes, position, moved, largest};
      }
    }
  }
  return audit;
}

}  // namespace qisa
