#include "nn/training/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/text/builtin_corpus.hpp"
#include "nn/text/utf8.hpp"
#include "nn/training/trainer.hpp"
#include "tensor/fast/softmax.hpp"

namespace qisa {
Predictions predict(const GPT& model, std::span<const std::int32_t> tokens, Workers& workers, Index most_windows,
                    const std::function<void(Index done, Index all)>& progress) {
  const Index length = model.settings().block_size, available = window_count(tokens, length);
  const Index count = most_windows == 0 ? available : std::min(most_windows, available);
  require(count > 0, "a text of {} characters has no window of {} and a next character", tokens.size(), length);
  Predictions result{count, std::vector<double>(length), std::vector<std::int32_t>(count * length)};
  const Sharding jobs = shard(count, length);
  std::vector<std::vector<double>> sums(workers.slots());  // the losses of a job, summed over its windows

  const auto compute = [&](Index job, std::size_t slot) {
    const Index first = job * jobs.sequences;
    const Batch batch = windows(tokens, first, std::min(jobs.sequences, count - first), length);
    Pass pass(model.parameters());
    const Tensor logits = model.logits(pass, batch.inputs, batch.sequences).value();
    const Index vocabulary = logits.shape()[1];
    std::vector<Real> probabilities(vocabulary);
    sums[slot].assign(length, 0);
    for (Index i = 0; i < std::ssize(batch.targets); ++i) {
      const auto row = logits.values().subspan(i * vocabulary, vocabulary);
      // -log softmax(logits)[target]
      sums[slot][i % length] += softmax_row(row.data(), probabilities.data(), vocabulary) - row[batch.targets[i]];
      result.likeliest[first * length + i] = static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin());
    }
  };
  workers.run(jobs.shards, compute, [&](Index job, std::size_t slot) {
    std::ranges::transform(sums[slot], result.loss, result.loss.begin(), std::plus());
    if (progress) progress(std::min(count, (job + 1) * jobs.sequences), count);
  });
  for (double& loss : result.loss) loss /= static_cast<double>(count);
  return result;
}

TextErrors compare(const Predictions& predictions, std::span<const std::int32_t> tokens, const Tokenizer& tokenizer) {
  const Index length = std::ssize(predictions.loss);
  const auto characters = [&](std::span<const std::int32_t> part) { return decode_utf8(tokenizer.decode(part)); };
  std::vector<double> cer, wer, bleus;
  for (Index window = 0; window < predictions.windows; ++window) {
    const Index first = window * length;
    const std::u32string target = characters(tokens.subspan(first + 1, length));
    const std::u32string likeliest = characters(std::span(predictions.likeliest).subspan(first, length));
    cer.push_back(character_error_rate(target, likeliest));
    bleus.push_back(bleu(target, likeliest));
    if (const auto rate = word_error_rate(target, likeliest)) wer.push_back(*rate);
  }
  return {.character_error_rate = mean_and_deviation(cer),
          .bleu = mean_and_deviation(bleus),
          .word_error_rate = wer.empty() ? std::nullopt : std::optional(mean_and_deviation(wer)),
          .windows_without_words = predictions.windows - std::ssize(wer)};
}

// Why not the entropy itself: the evaluated text is finite, and the mean information of its characters
// scatters around the entropy. For n characters of scenes with information H and length L, drawn
// independently, the standard deviation is sqrt(Var(H - entropy · L) / mean of L / n) (renewal reward
// theorem); the square root without the n is 1.125, by drawing 200,000 scenes.
double builtin_corpus_floor(Index characters) {
  return builtin_corpus_entropy() - 5 * 1.125 / std::sqrt(static_cast<double>(characters));
}

}  // namespace qisa
