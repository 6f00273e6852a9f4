#include "nn/training/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/operations.hpp"
#include "nn/text/builtin_corpus.hpp"
#include "nn/training/trainer.hpp"

namespace qisa {
namespace {

/// -log softmax(logits)[target].
double token_loss(std::span<const Real> logits, std::int32_t target) {
  const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const Real logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum) - static_cast<double>(logits[static_cast<std::size_t>(target)]);
}

/// Computes the logits of a text in windows side by side, or of the first `most_windows` if that is not 0: calls
/// see(slot, first window, windows, logits), in parallel, then combine(slot) in the order of the text. Returns the
/// number of windows.
template <class See, class Combine>
Index for_windows(const GPT& model, std::span<const std::int32_t> tokens, Workers& workers, Index most_windows,
                  const See& see, const Combine& combine) {
  const Index length = model.settings().block_size, available = window_count(tokens, length);
  const Index count = most_windows == 0 ? available : std::min(most_windows, available);
  require(count > 0, "a text of {} characters has no window of {} and a next character", tokens.size(), length);
  const Index windows_a_job = shard(count, length).sequences, jobs = (count + windows_a_job - 1) / windows_a_job;
  std::vector<Pass> passes;
  for (std::size_t slot = 0; slot < workers.slots(); ++slot) passes.emplace_back(model.parameters());
  const auto compute = [&](Index job, std::size_t slot) {
    const Index first = job * windows_a_job;
    const Batch batch = windows(tokens, first, std::min(windows_a_job, count - first), length);
    see(slot, first, batch, model.logits(passes[slot], batch.inputs, batch.sequences));
  };
  workers.run(jobs, compute, [&](Index, std::size_t slot) { combine(slot); });
  return count;
}

}  // namespace

double mean_loss(const GPT& model, std::span<const std::int32_t> tokens, Workers& workers, Index most_windows,
                 const std::function<void(Index done, Index all)>& progress) {
  const Index available = window_count(tokens, model.settings().block_size);
  const Index all = most_windows == 0 ? available : std::min(most_windows, available);
  std::vector<double> losses(workers.slots());
  std::vector<Index> sequences(workers.slots());
  double total = 0;
  Index done = 0;
  const auto see = [&](std::size_t slot, Index, const Batch& batch, const Variable& logits) {
    sequences[slot] = batch.sequences;
    losses[slot] =
        static_cast<double>(cross_entropy(logits, batch.targets).value().item()) * static_cast<double>(batch.sequences);
  };
  for_windows(model, tokens, workers, most_windows, see, [&](std::size_t slot) {
    total += losses[slot];
    done += sequences[slot];
    if (progress) progress(done, all);
  });
  return total / static_cast<double>(all);
}

double Predictions::mean_loss() const {
  return std::accumulate(loss.begin(), loss.end(), 0.0) / static_cast<double>(loss.size());
}

Predictions predict(const GPT& model, std::span<const std::int32_t> tokens, Workers& workers, Index most_windows) {
  const auto length = static_cast<std::size_t>(model.settings().block_size);
  const auto vocabulary = static_cast<std::size_t>(model.settings().vocabulary_size);
  Predictions result;
  result.loss.resize(length);
  result.likeliest.resize(static_cast<std::size_t>(window_count(tokens, model.settings().block_size)) * length);
  std::vector<std::vector<double>> losses(workers.slots());  // [length], summed over the windows of a job

  const auto see = [&](std::size_t slot, Index first, const Batch& batch, const Variable& logits) {
    losses[slot].assign(length, 0);
    for (std::size_t i = 0; i < batch.targets.size(); ++i) {
      const auto row = logits.value().values().subspan(i * vocabulary, vocabulary);
      losses[slot][i % length] += token_loss(row, batch.targets[i]);
      const auto likeliest = std::max_element(row.begin(), row.end()) - row.begin();
      result.likeliest[static_cast<std::size_t>(first) * length + i] = static_cast<std::int32_t>(likeliest);
    }
  };
  result.windows = for_windows(model, tokens, workers, most_windows, see, [&](std::size_t slot) {
    std::transform(losses[slot].begin(), losses[slot].end(), result.loss.begin(), result.loss.begin(), std::plus());
  });
  result.likeliest.resize(static_cast<std::size_t>(result.windows) * length);
  for (double& loss : result.loss) loss /= static_cast<double>(result.windows);
  require(std::isfinite(result.mean_loss()), "the model's logits are not finite: its loss is {}", result.mean_loss());
  return result;
}

TextErrors compare(const Predictions& predictions, std::span<const std::int32_t> tokens, const Tokenizer& tokenizer) {
  const Index length = std::ssize(predictions.loss);
  const auto characters = [&](std::span<const std::int32_t> part) {
    std::u32string text;
    for (const std::int32_t token : part) text += tokenizer.vocabulary()[static_cast<std::size_t>(token)];
    return text;
  };
  TextErrors errors;
  std::vector<double> cer, wer, bleus;
  for (Index window = 0; window < predictions.windows; ++window) {
    const auto first = static_cast<std::size_t>(window * length);
    const std::u32string target = characters(tokens.subspan(first + 1, length));
    const std::u32string likeliest = characters(std::span(predictions.likeliest).subspan(first, length));
    cer.push_back(character_error_rate(target, likeliest));
    bleus.push_back(bleu(target, likeliest));
    if (const auto rate = word_error_rate(target, likeliest)) wer.push_back(*rate);
  }
  errors.character_error_rate = mean_and_deviation(cer);
  errors.bleu = mean_and_deviation(bleus);
  if (!wer.empty()) errors.word_error_rate = mean_and_deviation(wer);
  errors.windows_without_words = predictions.windows - std::ssize(wer);
  return errors;
}

// Why not the entropy itself: the evaluated text is finite, and the mean information of its characters
// scatters around the entropy. For n characters of scenes with information H and length L, drawn
// independently, the standard deviation is sqrt(Var(H - entropy · L) / mean of L / n) (renewal reward
// theorem); the square root without the n is 1.125, by drawing 200,000 scenes.
double builtin_corpus_floor(Index characters) {
  return builtin_corpus_entropy() - 5 * 1.125 / std::sqrt(static_cast<double>(characters));
}

}  // namespace qisa
