// GPT against the formulas of the paper, written as loops over single numbers in double and dense
// matrices; its starting values and errors.
#include "nn/gpt.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

#include "tests/quantum/dense.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace gpt_test {

using Row = std::vector<double>;
using Rows = std::vector<Row>;
using Tokens = std::vector<std::int32_t>;

/// The model's logits and attention weights, computed from its settings, strings and named weights.
struct Formulas {
  const GPT& model;
  const ModelSettings& s = model.settings();
  std::vector<Row> attention_weights = {};  // of each layer: [heads, tokens, tokens]

  Rows weight(const std::string& name) const {
    const Tensor values = model.parameters().part(model.parameters().values(), name);
    const auto columns = values.shape()[-1];
    Rows rows;
    for (Index first = 0; first < values.size(); first += columns) {
      rows.emplace_back(values.data() + first, values.data() + first + columns);
    }
    return rows;
  }

  static Row product(const Rows& matrix, const Row& x, Row y = {}) {
    y.resize(matrix.size());
    for (std::size_t i = 0; i < matrix.size(); ++i)
      y[i] = std::inner_product(x.begin(), x.end(), matrix[i].begin(), y[i]);
    return y;
  }
  Row linear(const std::string& name, const Row& x) const {
    return product(weight(name + ".weight"), x, weight(name + ".bias")[0]);
  }

  Row norm(const std::string& name, Row x) const {
    const Row w = weight(name + ".weight")[0], b = weight(name + ".bias")[0];
    const double n = static_cast<double>(x.size()), mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
    double variance = 0;
    for (const double value : x) variance += (value - mean) * (value - mean) / n;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * w[i] + b[i];
    return x;
  }

  /// The circuit C(rx0, ry0, ry1) on x / |x|.
  dense::Vector circuit(const std::string& name, const Row& x) const {
    const int n = wires_for(s.n_embd);
    dense::Vector psi(x.begin(), x.end());
    psi.resize(std::size_t{1} << n);
    const double length = std::sqrt(dense::inner(psi, psi).real());
    for (auto& amplitude : psi) amplitude /= length;
    const auto rotate = [&](const char* gate, const char* angles, int wire) {
      const double angle = weight(fmt::format("{}.{}.{}.params", name, angles, wire))[0][0];
      psi = dense::gate(n, gate, {wire}, angle) * psi;
    };
    for (int wire = 0; wire < n; ++wire) rotate("RX", "rx0", wire), rotate("RY", "ry0", wire);
    for (int wire = 0; n > 1 && wire < n; ++wire) psi = dense::gate(n, "CNOT", {wire, (wire + 1) % n}) * psi;
    for (int wire = 0; wire < n; ++wire) rotate("RY", "ry1", wire);
    return psi;
  }

  static Row measure(const dense::Vector& psi, const std::vector<PauliString>& strings) {
    Row values;
    for (const PauliString& string : strings) {
      values.push_back(dense::inner(psi, dense::pauli_string(string.text()) * psi).real());
    }
    return values;
  }

  /// q, k or v (`which`) of one head.
  Row project(char which, const std::string& head, const std::vector<PauliString>& strings, const Row& x) const {
    const std::string part = head + ".qsa." + which;
    if (s.attention == "csa") {
      const char* name = which == 'q' ? ".query.weight" : which == 'k' ? ".key.weight" : ".value.weight";
      return product(weight(head + name), x);
    }
    if (s.attention == "qisa" && which == 'v') {
      const Row y = product(weight(part + "_linear.weight"), x);
      dense::Vector padded(y.begin(), y.end());
      padded.resize(std::size_t{1} << wires_for(s.n_embd));
      return measure(padded, strings);
    }
    if (which != 'v' && (s.attention == "qisa" || s.attention == "qisa-v3")) return linear(part + "_linear", x);
    const dense::Vector psi = circuit(part + "_slow", x);
    if (which == 'v' || s.attention == "qisa-v2") return measure(psi, strings);
    std::string z(static_cast<std::size_t>(wires_for(s.n_embd)), 'I');
    z[0] = 'Z';
    return Row(strings.size(), measure(psi, {PauliString(z)})[0]);
  }

  double score(const Row& q, const Row& k) const {
    double dot = 0, squares = 0;
    for (std::size_t i = 0; i < q.size(); ++i) dot += q[i] * k[i], squares += (q[i] - k[i]) * (q[i] - k[i]);
    const double width = static_cast<double>(s.score_scale == ScoreScale::head ? s.head_size() : s.n_embd);
    if (s.attention == "csa") return std::exp(dot / std::sqrt(width));
    return s.normalizer == Normalizer::sum ? std::exp(-squares) : std::exp(std::exp(-squares));
  }

  Rows attention(std::size_t layer, const Rows& x) {
    const std::string name = fmt::format("blocks.{}.mhsa", layer);
    Rows heads(x.size());
    Row& weights = attention_weights.emplace_back();
    for (std::size_t h = 0; h < static_cast<std::size_t>(s.n_head); ++h) {
      const auto all = [&](char which) {
        Rows rows;
        for (const Row& row : x) {
          rows.push_back(project(which, fmt::format("{}.heads.{}", name, h), model.pauli_strings()[layer][h], row));
        }
        return rows;
      };
      const Rows q = all('q'), k = all('k'), v = all('v');
      Rows out(x.size(), Row(static_cast<std::size_t>(s.head_size())));
      for (std::size_t i = 0; i < x.size(); ++i) {
        double total = 0;
        for (std::size_t j = 0; j <= i; ++j) total += score(q[i], k[j]);
        for (std::size_t j = 0; j < x.size(); ++j) weights.push_back(j <= i ? score(q[i], k[j]) / total : 0);
        for (std::size_t j = 0; j <= i; ++j) {
          const bool causal = s.aggregation == Aggregation::causal;
          Row& to = out[causal ? i : j];
          const Row& from = v[causal ? j : i];
          for (std::size_t d = 0; d < to.size(); ++d) to[d] += score(q[i], k[j]) / total * from[d];
        }
      }
      for (std::size_t i = 0; i < x.size(); ++i) heads[i].insert(heads[i].end(), out[i].begin(), out[i].end());
    }
    for (Row& row : heads) row = linear(name + ".project", row);
    return heads;
  }

  Row feed_forward(const std::string& name, const Row& x) const {
    Row hidden = linear(name + ".layer.0", x);
    for (double& h : hidden) {
      const double u = std::sqrt(2 / std::numbers::pi) * (h + 0.044715 * h * h * h);
      h = s.activation == Activation::relu ? std::max(h, 0.0) : h / 2 * (1 + std::tanh(u));
    }
    return linear(name + ".layer.2", hidden);
  }

  static void add(Row& x, const Row& y) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }

  Rows logits(const Tokens& tokens) {
    Rows x;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      x.push_back(weight("embedding.weight")[static_cast<std::size_t>(tokens[i])]);
      add(x[i], weight("positional_embedding_table.weight")[i]);
    }
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(s.n_layer); ++layer) {
      const std::string block = fmt::format("blocks.{}.", layer);
      Rows normalised;
      for (const Row& row : x) normalised.push_back(norm(block + "norm1", row));
      const Rows attended = attention(layer, normalised);
      for (std::size_t i = 0; i < x.size(); ++i) {
        add(x[i], attended[i]);
        add(x[i], feed_forward(block + "feed_forward", norm(block + "norm2", x[i])));
      }
    }
    for (Row& row : x) {
      row = norm("norm", row);
      row = s.tie_embeddings ? product(weight("embedding.weight"), row) : linear("fc", row);
    }
    return x;
  }
};

ModelSettings small(const std::string& attention) {
  ModelSettings settings;
  settings.vocabulary_size = 7;
  settings.n_layer = settings.n_head = 2;
  settings.n_embd = 6;  // padded to 8 amplitudes
  settings.block_size = 5;
  settings.attention = attention;
  return settings;
}

Tensor logits(const GPT& model, const Tokens& tokens, Index batch) {
  Pass pass(model.parameters());
  return model.logits(pass, tokens, batch).value();
}

void check_formulas(const ModelSettings& settings) {
  const GPT model(settings, 1);
  const Tokens tokens = {3, 1, 6, 1};
  Formulas formulas{model};
  const Rows expected = formulas.logits(tokens);
  const Tensor actual = logits(model, tokens, 1);
  REQUIRE(actual.shape() == Shape{4, 7});
  for (Index i = 0; i < actual.size(); ++i) {
    const double value = expected[static_cast<std::size_t>(i / 7)][static_cast<std::size_t>(i % 7)];
    CHECK(static_cast<double>(actual[i]) == Approx(value).epsilon(0).margin(sizeof(Real) == 8 ? 1e-12 : 2e-5));
  }
  Pass pass(model.parameters());
  for (Index layer = 0; layer < settings.n_layer; ++layer) {
    const Row& weights = formulas.attention_weights[static_cast<std::size_t>(layer)];
    const Tensor actual_weights = model.attention_weights(pass, tokens, 1, layer);
    REQUIRE(actual_weights.size() == std::ssize(weights));
    for (Index i = 0; i < actual_weights.size(); ++i) {
      INFO("layer " << layer << ", number " << i);
      CHECK(static_cast<double>(actual_weights[i]) ==
            Approx(weights[static_cast<std::size_t>(i)]).epsilon(0).margin(sizeof(Real) == 8 ? 1e-12 : 2e-5));
    }
  }
}

TEST_CASE("Logits and attention weights are those of the formulas, for every mechanism and every setting") {
  for (const MechanismEntry& mechanism : mechanisms()) {
    const ModelSettings plain = small(mechanism.name);
    ModelSettings settings = plain;
    INFO(mechanism.name);
    check_formulas(plain);
    for (const Normalizer normalizer : {Normalizer::sum, Normalizer::softmax}) {
      for (const Aggregation aggregation : {Aggregation::causal, Aggregation::transposed}) {
        settings.normalizer = normalizer;
        settings.aggregation = aggregation;
        INFO(name_of(normalizer) << ", " << name_of(aggregation));
        check_formulas(settings);
      }
    }
    settings = plain;
    settings.activation = Activation::gelu;
    settings.pauli = PauliChoice::real;
    check_formulas(settings);
    settings = plain;
    settings.score_scale = ScoreScale::head;
    settings.tie_embeddings = true;
    check_formulas(settings);
    settings = plain;
    settings.n_embd = 2;  // one wire, head_size 1
    check_formulas(settings);
  }
}

TEST_CASE("Weights and Pauli strings are functions of the seed") {
  const auto weights = [](const GPT& model) {
    const auto values = model.parameters().values().values();
    return std::vector<Real>(values.begin(), values.end());
  };
  const GPT model(small("qisa"), 5), twin(small("qisa"), 5), other(small("qisa"), 6);
  CHECK(weights(model) == weights(twin));
  CHECK(model.pauli_strings() == twin.pauli_strings());
  CHECK(weights(model) != weights(other));
  CHECK(model.pauli_strings() != other.pauli_strings());
  CHECK(GPT(small("csa"), 5).pauli_strings() == ModelStrings(2, LayerStrings(2)));  // none in any head
}

TEST_CASE("GPT's starting values are smaller where a layer adds to the residual stream, and biases are 0") {
  ModelSettings settings = small("qisa-v3");
  settings.init = Initialization::gpt;
  settings.n_layer = 8;
  settings.n_embd = 32;
  const GPT model(settings, 1);
  const std::map<std::string, double> deviations = {{"embedding.weight", 0.02},
                                                    {"blocks.7.mhsa.heads.1.qsa.q_linear.weight", 0.02},
                                                    {"blocks.7.mhsa.project.weight", 0.005},  // 0.02 / sqrt(2 · 8)
                                                    {"blocks.7.feed_forward.layer.0.weight", 0.02},
                                                    {"blocks.7.feed_forward.layer.2.weight", 0.005},
                                                    {"blocks.7.feed_forward.layer.2.bias", 0},
                                                    {"fc.bias", 0}};
  for (const auto& [name, deviation] : deviations) {
    double squares = 0;
    const Tensor values = model.parameters().part(model.parameters().values(), name);
    for (const Real value : values.values()) squares += static_cast<double>(value) * static_cast<double>(value);
    INFO(name);
    CHECK(std::sqrt(squares / static_cast<double>(values.size())) == Approx(deviation).epsilon(0.2));
  }
}

TEST_CASE("Models refuse tokens and strings that do not fit") {
  const GPT model(small("csa"), 1);
  check_error(error_of([&] { logits(model, {0, 1, 2, 3, 4, 5}, 1); }), "block_size is 5");
  check_error(error_of([&] { logits(model, {0, 1, 2}, 2); }), "3 tokens are not 2 sequences");
  CHECK_THROWS_AS(logits(model, {}, 1), Error);
  CHECK_THROWS_AS(logits(model, {0}, 0), Error);
  CHECK_THROWS_AS(logits(model, {7}, 1), Error);
  CHECK_THROWS_AS(logits(model, {-1}, 1), Error);
  Pass pass(model.parameters());
  GenerationCache cache = model.new_cache();
  CHECK_THROWS_AS(model.logits(pass, Tokens{0, 1}, 2, &cache), Error);

  const std::vector<PauliString> three(3, PauliString("XYZ"));
  CHECK_NOTHROW(GPT(small("qisa"), ModelStrings(2, LayerStrings(2, three))));
  CHECK_THROWS_AS(GPT(small("qisa"), ModelStrings(1, LayerStrings(2, three))), Error);
  CHECK_THROWS_AS(GPT(small("qisa"), ModelStrings(2, LayerStrings(1, three))), Error);
  CHECK_THROWS_AS(GPT(small("csa"), ModelStrings(2, LayerStrings(2, three))), Error);
  const std::vector<PauliString> two(2, PauliString("XYZ")), short_ones(3, PauliString("XY"));
  CHECK_THROWS_AS(GPT(small("qisa"), ModelStrings(2, LayerStrings(2, two))), Error);
  CHECK_THROWS_AS(GPT(small("qisa"), ModelStrings(2, LayerStrings(2, short_ones))), Error);
}

}  // namespace gpt_test
