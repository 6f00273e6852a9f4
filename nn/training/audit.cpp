#include "nn/training/audit.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "nn/text/text_data.hpp"
#include "nn/training/trainer.hpp"

namespace qisa {
namespace {

/// Enters one change into the audit: a window's logits, [length, vocabulary], before and after the token at
/// `position` was replaced.
void enter_change(std::span<const Real> before, std::span<const Real> after, Index vocabulary, Index position,
                  CausalityAudit& audit) {
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
    audit.position = position;
    audit.moved_positions = moved;
    audit.largest_move = largest;
  }
}

}  // namespace

std::string CausalityAudit::verdict() const {
  if (causal()) return fmt::format("causal: no logit before a changed character moved ({} changes tried)", changes);
  return fmt::format(
      "reads the future: changing character {} moved the logits of {} earlier position{}, by up to {:.2g}",
      position + 1, moved_positions, moved_positions == 1 ? "" : "s", largest_move);
}

CausalityAudit audit_causality(const GPT& model, std::span<const std::int32_t> tokens, Index count) {
  const Index length = model.settings().block_size, vocabulary = model.settings().vocabulary_size;
  const Index available = window_count(tokens, length);
  count = std::min(count, available);
  require(count > 0, "a text of {} characters has no window of {} and a next character", tokens.size(), length);
  CausalityAudit audit;
  if (vocabulary == 1) return audit;  // there is no other token to put in

  const Index rows_a_batch = shard(length, length).sequences;
  Pass pass(model.parameters());
  for (Index number = 0; number < count; ++number) {
    const std::vector<std::int32_t> window = windows(tokens, number * available / count, 1, length).inputs;
    for (Index first = 1; first < length; first += rows_a_batch) {
      // Row r of a batch is the window with token first + r replaced. It is compared with row r of a batch of
      // equal windows, as a matrix product may round rows in other places of a matrix differently.
      const Index rows = std::min(rows_a_batch, length - first);
      std::vector<std::int32_t> same, changed;
      for (Index row = 0; row < rows; ++row) same.insert(same.end(), window.begin(), window.end());
      changed = same;
      for (Index row = 0; row < rows; ++row) {
        std::int32_t& token = changed[static_cast<std::size_t>(row * length + first + row)];
        token = static_cast<std::int32_t>((token + 1 + row % (vocabulary - 1)) % vocabulary);
      }
      const Tensor before = model.logits(pass, same, rows).value(), after = model.logits(pass, changed, rows).value();
      const Index size = length * vocabulary;
      for (Index row = 0; row < rows; ++row) {
        enter_change(before.values().subspan(static_cast<std::size_t>(row * size), size),
                     after.values().subspan(static_cast<std::size_t>(row * size), size), vocabulary, first + row,
                     audit);
      }
    }
  }
  return audit;
}

}  // namespace qisa
