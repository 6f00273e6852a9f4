// Evaluation: losses against one window after the other on another kernel, and text metrics by hand. The floor of
// the built-in corpus is in builtin_corpus_test.cpp.
#include "nn/training/evaluation.hpp"

#include <cmath>
#include <limits>

#include "nn/training/trainer.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace evaluation_test {

using Tokens = std::vector<std::int32_t>;
constexpr Index length = 3, vocabulary = 5;
constexpr double tolerance = sizeof(Real) == 8 ? 1e-12 : 1e-5;

ModelSettings tiny(const std::string& attention) {
  ModelSettings settings;
  settings.vocabulary_size = vocabulary;
  settings.n_layer = 1;
  settings.n_head = 2;
  settings.n_embd = 4;
  settings.block_size = length;
  settings.attention = attention;
  return settings;
}

Tokens random_text(Index size) {
  Random random(1, Purpose::tests);
  Tokens text;
  for (Index i = 0; i < size; ++i) text.push_back(static_cast<std::int32_t>(random.below(vocabulary)));
  return text;
}

/// Probabilities of the token after each of the window's, [length][vocabulary], gate after gate.
std::vector<std::vector<double>> probabilities(const GPT& model, std::span<const std::int32_t> window) {
  Pass pass(model.parameters(), CircuitKernel::stepwise);
  const Tensor logits = model.logits(pass, window, 1).value();
  std::vector<std::vector<double>> result(length, std::vector<double>(vocabulary));
  for (std::size_t t = 0; t < length; ++t) {
    double sum = 0;
    for (std::size_t c = 0; c < vocabulary; ++c) {
      sum += result[t][c] = std::exp(static_cast<double>(logits[static_cast<Index>(t * vocabulary + c)]));
    }
    for (double& p : result[t]) p /= sum;
  }
  return result;
}

/// Predictions as if a model had said `text`, in windows of `size` characters.
Predictions said(const Tokenizer& tokenizer, const std::string& text, Index size) {
  Predictions predictions;
  predictions.likeliest = tokenizer.encode(text);
  predictions.windows = std::ssize(predictions.likeliest) / size;
  predictions.loss.resize(static_cast<std::size_t>(size));
  return predictions;
}

TEST_CASE("Loss by position, mean loss and likeliest tokens are those of each window alone") {
  constexpr std::size_t count = 600;  // several jobs
  const Tokens text = random_text(count * length + 3);
  for (const char* attention : {"csa", "qisa-v3"}) {
    INFO(attention);
    const GPT model(tiny(attention), 1);
    std::vector<double> expected(length);
    Workers workers(2);
    const Predictions predictions = predict(model, text, workers);
    REQUIRE(predictions.windows == count);
    REQUIRE(predictions.likeliest.size() == count * length);
    double shortfall = 0;  // of the probability of a token said to be the likeliest
    for (std::size_t window = 0; window < count; ++window) {
      const auto p = probabilities(model, std::span(text).subspan(window * length, length));
      for (std::size_t t = 0; t < length; ++t) {
        const std::size_t i = window * length + t;
        expected[t] -= std::log(p[t][static_cast<std::size_t>(text[i + 1])]) / count;
        const double said = p[t][static_cast<std::size_t>(predictions.likeliest[i])];
        shortfall = std::max(shortfall, *std::max_element(p[t].begin(), p[t].end()) - said);
      }
    }
    CHECK(shortfall < tolerance);
    REQUIRE(predictions.loss.size() == length);
    for (std::size_t t = 0; t < length; ++t) CHECK(std::abs(predictions.loss[t] - expected[t]) < tolerance);
    CHECK(std::abs(predictions.mean_loss() - (expected[0] + expected[1] + expected[2]) / 3) < tolerance);
  }
}

TEST_CASE("Predictions are the same to the last bit for any number of workers") {
  const Tokens text = random_text(5000);
  const GPT model(tiny("qisa-v3"), 1);
  Workers one(1);
  const Predictions expected = predict(model, text, one);
  for (const int count : {2, 3, 7}) {
    Workers workers(count);
    const Predictions predictions = predict(model, text, workers);
    CHECK(predictions.loss == expected.loss);
    CHECK(predictions.likeliest == expected.likeliest);
  }
}

TEST_CASE("Only the first windows are predicted if that is asked for") {
  const Tokens text = random_text(100);  // 33 windows
  const GPT model(tiny("csa"), 1);
  Workers workers(1);
  const Predictions some = predict(model, text, workers, 5);
  CHECK(some.windows == 5);
  CHECK(some.likeliest.size() == 5 * length);
  CHECK(some.loss == predict(model, std::span(text).first(5 * length + 1), workers).loss);
  CHECK(predict(model, text, workers, 1000).windows == 33);
}

TEST_CASE("A text without a window is an error of one line, and logits that are no numbers have no finite loss") {
  GPT model(tiny("csa"), 1);
  Workers workers(1);
  check_error(error_of([&] { predict(model, random_text(length), workers); }), "3 characters has no window of 3");
  model.parameters().values().fill(std::numeric_limits<Real>::infinity());
  CHECK(!std::isfinite(predict(model, random_text(20), workers).mean_loss()));
}

TEST_CASE("Text metrics are of the characters after each window's, their means over windows") {
  const Tokenizer tokenizer(U" abcd\n");
  const Tokens text = tokenizer.encode("dab cd ab        a b c d ");  // a first character that nothing predicts
  const TextErrors errors = compare(said(tokenizer,
                                         "ab cc ab"
                                         "a       "
                                         "a b c d ",
                                         8),
                                    text, tokenizer);
  // Window 1: one of 8 characters and one of 3 words are wrong; 2 of 3 words are common, no longer run
  // of words is. Window 2 has no word. Window 3 is right.
  CHECK(errors.character_error_rate.mean == Approx(1.0 / 12));
  CHECK(errors.character_error_rate.deviation == Approx(std::sqrt(1.0 / 288)));
  REQUIRE(errors.word_error_rate.has_value());
  CHECK(errors.word_error_rate->mean == Approx(1.0 / 6));
  CHECK(errors.word_error_rate->deviation == Approx(1.0 / 6));
  CHECK(errors.windows_without_words == 1);
  const double first = std::pow(2.0 / 3 * 0.1 / 2 * 0.1 * 0.1, 0.25);
  CHECK(errors.bleu.mean == Approx((first + 0 + 1) / 3));
}

TEST_CASE("Without a word in any window there is no word error rate") {
  const Tokenizer tokenizer(U" ab");
  const TextErrors errors = compare(said(tokenizer, "ab  ", 2), tokenizer.encode("a    "), tokenizer);
  CHECK_FALSE(errors.word_error_rate.has_value());
  CHECK(errors.windows_without_words == 2);
  CHECK(errors.character_error_rate.mean == Approx(0.5));
}

}  // namespace evaluation_test
