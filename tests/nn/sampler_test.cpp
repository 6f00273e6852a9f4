// Text from a model: the probabilities by hand, draws against them, and windows that slide.
#include "nn/sampler.hpp"

#include <algorithm>
#include <cmath>

#include "tests/catch.hpp"

using namespace qisa;

namespace sampler_test {

using Tokens = std::vector<std::int32_t>;

std::vector<double> probabilities(std::vector<Real> logits, double temperature, Index top_k, double top_p) {
  return sampling_probabilities(logits, {temperature, top_k, top_p, 0});
}

void check_equal(const std::vector<double>& actual, const std::vector<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    INFO("token " << i);
    CHECK(actual[i] == Approx(expected[i]).epsilon(sizeof(Real) == 8 ? 1e-12 : 1e-6));
    CHECK((actual[i] == 0) == (expected[i] == 0));  // a token that is cut off is impossible, not unlikely
  }
}

/// log of 1, 2, 3, 4 over 10: softmax gives 0.1, 0.2, 0.3, 0.4, here in another order.
std::vector<Real> tenths() {
  std::vector<Real> logits;
  for (const double p : {0.3, 0.1, 0.4, 0.2}) logits.push_back(static_cast<Real>(std::log(p)));
  return logits;
}

GPT tiny(Aggregation aggregation = Aggregation::causal, const std::string& attention = "qisa-v3") {
  ModelSettings settings;
  settings.vocabulary_size = 6;
  settings.n_layer = 2;
  settings.n_embd = 4;
  settings.block_size = 5;
  settings.attention = attention;
  settings.aggregation = aggregation;
  return GPT(settings, 7);
}

/// Logits after the last block_size tokens, without any cache.
std::vector<Real> logits_after(const GPT& model, const Tokens& tokens) {
  const auto count = std::min<std::size_t>(tokens.size(), static_cast<std::size_t>(model.settings().block_size));
  Pass pass(model.parameters());
  const Tensor all = model.logits(pass, std::span(tokens).last(count), 1).value();
  const auto last = all.values().last(static_cast<std::size_t>(model.settings().vocabulary_size));
  return {last.begin(), last.end()};
}

std::vector<double> softmax(const std::vector<Real>& logits) {
  std::vector<double> p;
  double sum = 0;
  for (const Real logit : logits) sum += std::exp(static_cast<double>(logit));
  for (const Real logit : logits) p.push_back(std::exp(static_cast<double>(logit)) / sum);
  return p;
}

Tokens sample(const GPT& model, const SamplingSettings& settings, const Tokens& prompt, int count,
              std::uint32_t number = 0) {
  Sampler sampler(model, settings, prompt, number);
  Tokens text;
  for (int i = 0; i < count; ++i) text.push_back(sampler.next());
  return text;
}

TEST_CASE("Temperature divides the logits, 0 takes the likeliest token") {
  check_equal(probabilities(tenths(), 1, 0, 1), {0.3, 0.1, 0.4, 0.2});
  check_equal(probabilities(tenths(), 0.5, 0, 1), {9 / 30.0, 1 / 30.0, 16 / 30.0, 4 / 30.0});  // squares
  const double sum = std::sqrt(3) + 1 + 2 + std::sqrt(2);
  check_equal(probabilities(tenths(), 2, 0, 1), {std::sqrt(3) / sum, 1 / sum, 2 / sum, std::sqrt(2) / sum});
  check_equal(probabilities(tenths(), 0, 0, 1), {0, 0, 1, 0});
  check_equal(probabilities({1, 3, 3, 2}, 0, 0, 1), {0, 1, 0, 0});  // the first of equals
  check_equal(probabilities({1, 3, 2}, 1e-300, 0, 1), {0, 1, 0});
  check_equal(probabilities({5000, 5000, -5000}, 1, 0, 1), {0.5, 0.5, 0});
}

TEST_CASE("top_k keeps the k likeliest tokens") {
  check_equal(probabilities(tenths(), 1, 1, 1), {0, 0, 1, 0});
  check_equal(probabilities(tenths(), 1, 2, 1), {3 / 7.0, 0, 4 / 7.0, 0});
  check_equal(probabilities(tenths(), 1, 4, 1), {0.3, 0.1, 0.4, 0.2});
  check_equal(probabilities(tenths(), 1, 100, 1), {0.3, 0.1, 0.4, 0.2});
  check_equal(probabilities({2, 2, 2}, 1, 2, 1), {0.5, 0.5, 0});  // of equals, the first
}

TEST_CASE("top_p keeps the fewest likeliest tokens that reach p, the one that crosses it included") {
  check_equal(probabilities(tenths(), 1, 0, 0.39), {0, 0, 1, 0});
  check_equal(probabilities(tenths(), 1, 0, 0.41), {3 / 7.0, 0, 4 / 7.0, 0});
  check_equal(probabilities(tenths(), 1, 0, 0.69), {3 / 7.0, 0, 4 / 7.0, 0});
  check_equal(probabilities(tenths(), 1, 0, 0.71), {3 / 9.0, 0, 4 / 9.0, 2 / 9.0});
  check_equal(probabilities(tenths(), 1, 0, 0.91), {0.3, 0.1, 0.4, 0.2});
  check_equal(probabilities(tenths(), 1, 0, 1e-9), {0, 0, 1, 0});
  check_equal(probabilities({0, 0, 0, 0}, 1, 0, 0.5), {0.5, 0.5, 0, 0});  // two of four reach it exactly
  check_equal(probabilities({0}, 1, 0, 0.5), {1});
}

TEST_CASE("top_p counts what temperature and top_k have left") {
  check_equal(probabilities(tenths(), 1, 2, 0.56), {0, 0, 1, 0});              // 4/7 alone reaches it
  check_equal(probabilities(tenths(), 1, 2, 0.58), {3 / 7.0, 0, 4 / 7.0, 0});  // but not this
  check_equal(probabilities(tenths(), 0.5, 0, 0.52), {0, 0, 1, 0});            // 16/30
  check_equal(probabilities(tenths(), 0.5, 0, 0.54), {9 / 25.0, 0, 16 / 25.0, 0});
}

TEST_CASE("Pairs of tokens are drawn as often as their probabilities say, before the window slides and after") {
  constexpr std::uint32_t draws = 6000;
  for (const Aggregation aggregation : {Aggregation::causal, Aggregation::transposed}) {
    const GPT model = tiny(aggregation);
    for (const Tokens& prompt : {Tokens{1, 2}, Tokens{0, 1, 2, 3}, Tokens{5, 4, 3, 2, 1, 0, 1}}) {
      const std::size_t classes = 6;
      std::vector<double> counts(classes * classes);
      for (std::uint32_t number = 0; number < draws; ++number) {
        const Tokens pair = sample(model, {}, prompt, 2, number);
        counts[static_cast<std::size_t>(pair[0]) * classes + static_cast<std::size_t>(pair[1])] += 1;
      }
      const std::vector<double> first = softmax(logits_after(model, prompt));
      double chi_square = 0;
      for (std::size_t a = 0; a < classes; ++a) {
        Tokens longer = prompt;
        longer.push_back(static_cast<std::int32_t>(a));
        const std::vector<double> second = softmax(logits_after(model, longer));
        for (std::size_t b = 0; b < classes; ++b) {
          const double expected = draws * first[a] * second[b];
          CHECK(expected > 5);
          chi_square += (counts[a * classes + b] - expected) * (counts[a * classes + b] - expected) / expected;
        }
      }
      INFO(name_of(aggregation) << ", prompt of " << prompt.size());
      CHECK(chi_square < 74.9);  // 35 degrees of freedom: more with a probability of 0.0001
      CHECK(chi_square > 11);    // and less: counts that scatter less than draws do are no draws
    }
  }
}

TEST_CASE("The same seed and number give the same text, others another") {
  const GPT model = tiny();
  SamplingSettings settings;
  const Tokens text = sample(model, settings, {0}, 40);
  CHECK(sample(model, settings, {0}, 40) == text);
  CHECK(sample(model, settings, {0}, 40, 1) != text);
  settings.seed += 1;
  CHECK(sample(model, settings, {0}, 40) != text);
}

TEST_CASE("Text beyond block_size is that of a slow sampler that reads the last block_size tokens anew") {
  for (const MechanismEntry& mechanism : mechanisms()) {
    for (const Aggregation aggregation : {Aggregation::causal, Aggregation::transposed}) {
      const GPT model = tiny(aggregation, mechanism.name);
      for (const Tokens& prompt : {Tokens{2}, Tokens{0, 1, 2, 3, 4}, Tokens{5, 4, 3, 2, 1, 0, 1, 2}}) {
        INFO(mechanism.name << ", " << name_of(aggregation) << ", prompt of " << prompt.size());
        SamplingSettings settings;
        settings.temperature = 0;
        Tokens greedy = prompt;
        Sampler fast(model, settings, prompt);
        for (int i = 0; i < 20; ++i) {
          const std::vector<Real> logits = logits_after(model, greedy);
          greedy.push_back(static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
          CHECK(fast.next() == greedy.back());
        }
      }
    }
  }
}

TEST_CASE("Settings out of range and an empty prompt are refused") {
  const GPT model = tiny();
  CHECK_THROWS_AS(Sampler(model, {}, {}), Error);
  CHECK_THROWS_AS(Sampler(model, {}, {6}).next(), Error);  // not in the vocabulary
  SamplingSettings{1, 0, 1, 0}.validate();
  SamplingSettings{0, 3, 1e-9, 0}.validate();
  for (const SamplingSettings& settings :
       {SamplingSettings{-1, 0, 1, 0}, SamplingSettings{NAN, 0, 1, 0}, SamplingSettings{INFINITY, 0, 1, 0},
        SamplingSettings{1, -1, 1, 0}, SamplingSettings{1, 0, 0, 0}, SamplingSettings{1, 0, 1.01, 0},
        SamplingSettings{1, 0, NAN, 0}}) {
    CHECK_THROWS_AS(settings.validate(), Error);
    CHECK_THROWS_AS(Sampler(model, settings, {1}), Error);
  }
}

}  // namespace sampler_test
