// Who reads whom: causal models never read later tokens, transposed ones do; and a cache of keys and
// values changes nothing.
#include <cmath>

#include "nn/gpt.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace causality_test {

using Tokens = std::vector<std::int32_t>;
constexpr Index length = 6, batch = 2, vocabulary = 7;
constexpr CircuitKernel kernels[] = {CircuitKernel::stepwise, CircuitKernel::adjoint, CircuitKernel::fused};
const Tokens text = {3, 1, 4, 1, 5, 6, 2, 0, 5, 3, 5, 2};  // two sequences

/// Every mechanism with every normalizer and activation; padded inputs, two heads, two layers.
std::vector<ModelSettings> variants(Aggregation aggregation) {
  std::vector<ModelSettings> result;
  for (const MechanismEntry& mechanism : mechanisms()) {
    for (const Normalizer normalizer : {Normalizer::sum, Normalizer::softmax}) {
      for (const Activation activation : {Activation::relu, Activation::gelu}) {
        ModelSettings settings;
        settings.vocabulary_size = vocabulary;
        settings.n_layer = settings.n_head = 2;
        settings.n_embd = 6;
        settings.block_size = length;
        settings.attention = mechanism.name;
        settings.normalizer = normalizer;
        settings.aggregation = aggregation;
        settings.activation = activation;
        result.push_back(settings);
      }
    }
  }
  return result;
}

std::string describe(const ModelSettings& settings, CircuitKernel kernel) {
  return fmt::format("{}, {}, {}, kernel {}", settings.attention, name_of(settings.normalizer),
                     name_of(settings.activation), static_cast<int>(kernel));
}

Tensor logits(const GPT& model, const Tokens& tokens, CircuitKernel kernel) {
  Pass pass(model.parameters(), kernel);
  return model.logits(pass, tokens, batch).value();
}

/// For each position of the first sequence: whether its logits in `a` and `b` differ in any bit.
std::vector<bool> changed(const Tensor& a, const Tensor& b) {
  std::vector<bool> result;
  for (Index position = 0; position < length; ++position) {
    const Real *x = a.data() + position * vocabulary, *y = b.data() + position * vocabulary;
    result.push_back(!std::equal(x, x + vocabulary, y));
  }
  return result;
}

/// Calls visit(t, changed positions) for every change of one token t of the first sequence, and checks
/// that no change reaches the second.
template <class Visit>
void change_each_token(const GPT& model, CircuitKernel kernel, Visit visit) {
  const Tensor before = logits(model, text, kernel);
  for (const Real value : before.values()) REQUIRE(std::isfinite(value));
  for (Index t = 0; t < length; ++t) {
    Tokens other = text;
    std::int32_t& token = other[static_cast<std::size_t>(t)];
    token = static_cast<std::int32_t>((token + 1) % vocabulary);
    const Tensor after = logits(model, other, kernel);
    CHECK(std::equal(before.data() + length * vocabulary, before.data() + before.size(),
                     after.data() + length * vocabulary));
    INFO("token " << t);
    visit(t, changed(before, after));
  }
}

TEST_CASE("Causal: a token changes no bit of the logits before it, and those from it on") {
  for (const ModelSettings& settings : variants(Aggregation::causal)) {
    const GPT model(settings, 1);
    for (const CircuitKernel kernel : kernels) {
      INFO(describe(settings, kernel));
      change_each_token(model, kernel, [](Index t, const std::vector<bool>& positions) {
        for (Index position = 0; position < length; ++position) {
          INFO("position " << position);
          CHECK(positions[static_cast<std::size_t>(position)] == (position >= t));
        }
      });
    }
  }
}

TEST_CASE("Transposed: a token changes logits before it") {
  for (const ModelSettings& settings : variants(Aggregation::transposed)) {
    const GPT model(settings, 1);
    for (const CircuitKernel kernel : kernels) {
      INFO(describe(settings, kernel));
      change_each_token(model, kernel, [](Index t, const std::vector<bool>& positions) {
        CHECK(positions[static_cast<std::size_t>(t)]);
        if (t > 0) CHECK(std::count(positions.begin(), positions.begin() + t, true) > 0);
      });
    }
  }
}

TEST_CASE("A cache gives the logits of the whole sequence, token by token and in chunks") {
  constexpr double tolerance = sizeof(Real) == 8 ? 1e-12 : 1e-5;
  const std::vector<std::vector<Index>> chunkings = {{1, 1, 1, 1, 1, 1}, {2, 1, 3}, {5, 1}, {6}};
  for (const ModelSettings& settings : variants(Aggregation::causal)) {
    const GPT model(settings, 2);
    for (const CircuitKernel kernel : kernels) {
      INFO(describe(settings, kernel));
      const Tensor whole = logits(model, text, kernel);
      for (const auto& chunks : chunkings) {
        Pass pass(model.parameters(), kernel);
        GenerationCache cache = model.new_cache();
        Index first = 0;
        double largest = 0;
        for (const Index count : chunks) {
          const auto part = std::span(text).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
          const Tensor some = model.logits(pass, part, 1, &cache).value();
          REQUIRE(some.shape() == Shape{count, vocabulary});
          for (Index i = 0; i < some.size(); ++i) {
            const double difference = std::abs(static_cast<double>(some[i] - whole[first * vocabulary + i]));
            if (!(difference <= largest)) largest = difference;
          }
          first += count;
          CHECK(cache.front().length == first);
        }
        INFO(chunks.size() << " chunks");
        REQUIRE(first == length);
        CHECK(largest < tolerance);
        CHECK_THROWS_AS(model.logits(pass, std::span(text).first(1), 1, &cache), Error);  // it is full
      }
    }
  }
}

TEST_CASE("Transposed models have no cache") {
  for (const ModelSettings& settings : variants(Aggregation::transposed)) {
    CHECK_THROWS_AS(GPT(settings, 1).new_cache(), Error);
  }
}

TEST_CASE("Attention weights of a position are none for later positions and add up to 1") {
  constexpr Index heads = 2;
  for (const Aggregation aggregation : {Aggregation::causal, Aggregation::transposed}) {
    for (const ModelSettings& settings : variants(aggregation)) {
      Parameters parameters;
      const SelfAttention layer({parameters, "layer", settings, GPT(settings, 3).pauli_strings()[0]});
      parameters.initialize(4);
      Pass pass(parameters);
      Random random(5, Purpose::tests);
      Tensor x({batch * length, settings.n_embd});
      for (Real& value : x.values()) value = static_cast<Real>(random.normal());
      Tensor weights;
      layer(pass, Variable(x), batch, nullptr, &weights);
      REQUIRE(weights.shape() == Shape{batch, heads, length, length});
      for (Index row = 0; row < batch * heads * length; ++row) {
        double sum = 0;
        for (Index j = 0; j < length; ++j) {
          const Real weight = weights[row * length + j];
          CHECK((j <= row % length ? weight > 0 : weight == 0));
          sum += static_cast<double>(weight);
        }
        CHECK(sum == Approx(1).epsilon(1e-6));
      }
    }
  }
}

}  // namespace causality_test
