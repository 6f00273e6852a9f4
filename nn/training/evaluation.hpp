// How well a model predicts a text: loss at each position of the context, and how far its likeliest
// characters are from the true ones.
//
// The text is taken in windows side by side. Everything is teacher-forced: at each position of a window the
// model has the true characters up to there.
#pragma once

#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "nn/gpt.hpp"
#include "nn/text/text_metrics.hpp"
#include "nn/text/tokenizer.hpp"
#include "nn/training/workers.hpp"

namespace qisa {

/// A model's predictions of a text, window after window.
struct Predictions {
  Index windows = 0;
  std::vector<double> loss;             // [block_size] mean cross-entropy at each position, in nats a character
  std::vector<std::int32_t> likeliest;  // [windows, block_size] the token of the largest logit

  /// Mean cross-entropy over all positions, in nats a character.
  double mean_loss() const { return std::accumulate(loss.begin(), loss.end(), 0.0) / static_cast<double>(loss.size()); }
};

/// Predicts the text in windows side by side, or the first `most_windows` of them if that is not 0; without dropout.
/// The same to the last bit for any number of workers. `progress` is called now and then, by one thread at a time, with
/// the windows done and all there are. Throws when the text has no window.
Predictions predict(const GPT& model, std::span<const std::int32_t> tokens, Workers& workers, Index most_windows = 0,
                    const std::function<void(Index done, Index all)>& progress = {});

/// The text metrics of arXiv:2603.03318 over windows, each window a text.
struct TextErrors {
  MeanAndDeviation character_error_rate, bleu;
  std::optional<MeanAndDeviation> word_error_rate;  // over the windows with a word; none if there is no such window
  Index windows_without_words = 0;
};

/// Compares the predictions with the text that they are of: with tokens[1], tokens[2], …
TextErrors compare(const Predictions& predictions, std::span<const std::int32_t> tokens, const Tokenizer& tokenizer);

/// The smallest mean loss, in nats a character, that a causal model can have on new text of the built-in corpus.
/// That is its entropy, less five standard errors of a text of so many characters, as a text may happen to
/// be easy: a causal model is below it about once in three million texts.
double builtin_corpus_floor(Index characters);

}  // namespace qisa
