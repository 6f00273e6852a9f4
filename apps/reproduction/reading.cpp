#include "apps/reproduction/reading.hpp"

namespace qisa {

ReadingMap reading_map(const GPT& model, std::span<const std::int32_t> tokens, const Tokenizer& tokenizer) {
  Pass pass(model.parameters());
  const Tensor weights = model.attention_weights(pass, tokens, 1, 0);  // [1, n_head, T, T]: w_ij, j <= i
  const bool transposed = model.settings().aggregation == Aggregation::transposed;
  const Index length = std::ssize(tokens);
  ReadingMap map;
  for (Index output = 0; output < length; ++output) {
    map.characters.push_back(tokenizer.decode(tokens[static_cast<std::size_t>(output)]));
    auto& row = map.weights.emplace_back();
    for (Index read = 0; read < length; ++read) {
      const Index i = transposed ? read : output, j = transposed ? output : read;
      row.push_back(static_cast<double>(weights[i * length + j]));
    }
  }
  return map;
}

std::vector<std::int32_t> sentence(std::span<const std::int32_t> tokens, Index length, const Tokenizer& tokenizer) {
  const Index count = std::ssize(tokens);
  require(count >= length, "a text of {} characters has no {} in a row", count, length);
  Index first = 0;  // of the line
  for (Index i = 0; i < count && i - first < length; ++i) {
    if (tokenizer.decode(tokens[static_cast<std::size_t>(i)]) == "\n") first = i + 1;
  }
  if (count - first < length) first = 0;
  const auto part = tokens.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(length));
  return {part.begin(), part.end()};
}

}  // namespace qisa
