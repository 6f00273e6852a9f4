#include "nn/training/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/operations.hpp"
#include "nn/text/builtin_corpus.hpp"
#include "nn/text/utf8.hpp"
#include "nn/training/trainer.hpp"

namespace qisa {
namespace {

/// -log softmax(logits)[target].
double token_loss(std::span<const Real> logits, std::int32_t target) {
  const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const Real logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum) - static_cast<double>(logits[target]);
}

/// Computes the logits of a text in windows side by side, or of the first `most_windows` if that is not 0: calls
/// combine(see(first window, windows, logits), windows done, all windows), see in parallel and combine in the order of
/// the text. Returns the number of windows.
template <class See, class Combine>
Index for_windows(const GPT& model, std::span<const std::int32_t> tokens, Workers& workers, Index most_windows,
                  const See& see, const Combine& combine) {
  const Index length = model.settings().block_size, available = window_count(tokens, length);
  const Index count = most_windows == 0 ? available : std::min(most_windows, available);
  require(count > 0, "a text of {} characters has no window of {} and a next character", tokens.size(), length);
  const Sharding jobs = shard(count, length);
  std::vector<std::invoke_result_t<See, Index, const Batch&, const Variable&>> seen(workers.slots());
  const auto compute = [&](Index job, std::size_t slot) {
    const Index first = job * jobs.sequences;
    const Batch batch = windows(tokens, first, std::min(jobs.sequences, count - first), length);
    Pass pass(model.parameters());
    seen[slot] = see(first, batch, model.logits(pass, batch.inputs, batch.sequences));
  };
  workers.run(jobs.shards, compute, [&](Index job, std::size_t slot) {
    combine(seen[slot], std::min(count, (job + 1) * jobs.sequences), count);
  });
  return count;
}

}  // namespace

double mean_loss(const GPT& model, std::span<const std::int32_t> tokens, Workers& workers, Index most_windows,
                 const std::function<void(Index done, Index all)>& progress) {
  double total = 0;
  const auto see = [](Index, const Batch& batch, const Variable& logits) {
    return static_cast<double>(cross_entropy(logits, batch.targets).value().item()) *
           static_cast<double>(batch.sequences);
  };
  const auto combine = [&](double loss, Index done, Index all) {
    total += loss;
    if (progress) progress(done, all);
  };
  const Index count = for_windows(model, tokens, workers, most_windows, see, combine);
  return total / static_cast<double>(count);
}

double Predictions::mean_loss() const {
  return std::accumulate(loss.begin(), loss.end(), 0.0) / static_cast<double>(loss.size());
}

Predictions predict(const GPT& model, std::span<const std::int32_t> tokens, Workers& workers, Index most_windows) {
  const Index length = model.settings().block_size, vocabulary = model.settings().vocabulary_size;
  Predictions result;
  result.loss.resize(length);
  result.likeliest.resize(tokens.size());  // as many as there can be

  const auto see = [&](Index first, const Batch& batch, const Variable& logits) {
    std::vector<double> losses(length);  // summed over the windows of a job
    for (Index i = 0; i < std::ssize(batch.targets); ++i) {
      const auto row = logits.value().values().subspan(i * vocabulary, vocabulary);
      losses[i % length] += token_loss(row, batch.targets[i]);
      result.likeliest[first * length + i] = static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin());
    }
    return losses;
  };
  const auto combine = [&](const std::vector<double>& losses, Index, Index) {
    std::ranges::transform(losses, result.loss, result.loss.begin(), std::plus());
  };
  result.windows = for_windows(model, tokens, workers, most_windows, see, combine);
  result.likeliest.resize(result.windows * length);
  for (double& loss : result.loss) loss /= static_cast<double>(result.windows);
  require(std::isfinite(result.mean_loss()), "the model's logits are not finite: its loss is {}", result.mean_loss());
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
