// Every attention mechanism in a small model: sizes, gradients, kernels against each other, the cache,
// and what is said of each of them. That they compute what the paper computes is in
// golden_model_test.cpp.
#include <cmath>
#include <map>

#include "autograd/backward.hpp"
#include "autograd/operations.hpp"
#include "nn/gpt.hpp"
#include "tests/catch.hpp"

using namespace qisa;
using Catch::Matchers::Message;

namespace mechanisms_test {

constexpr bool is_double = sizeof(Real) == 8;
constexpr Index length = 4, batch = 2;
const std::vector<std::int32_t> inputs = {0, 3, 1, 4, 2, 2, 0, 1}, targets = {3, 1, 4, 2, 2, 0, 1, 3};
/// The names of all mechanisms in the table.
std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const MechanismEntry& entry : mechanisms()) names.push_back(entry.name);
  return names;
}

/// Two heads on three wires, inputs padded from 6 to 8 amplitudes; smooth, so that differences converge.
ModelSettings small_settings(const std::string& attention) {
  ModelSettings settings;
  settings.vocabulary_size = 5;
  settings.n_layer = 2;
  settings.n_head = 2;
  settings.n_embd = 6;
  settings.block_size = length;
  settings.attention = attention;
  settings.activation = Activation::gelu;
  return settings;
}

/// Small settings of every mechanism with every normalizer and aggregation that it has.
std::vector<ModelSettings> all_settings() {
  std::vector<ModelSettings> all;
  for (const std::string& name : all_names()) {
    for (const Normalizer normalizer : {Normalizer::sum, Normalizer::softmax}) {
      for (const Aggregation aggregation : {Aggregation::causal, Aggregation::transposed}) {
        if (name == "csa" && normalizer == Normalizer::softmax) continue;
        ModelSettings settings = small_settings(name);
        settings.normalizer = normalizer;
        settings.aggregation = aggregation;
        all.push_back(settings);
      }
    }
  }
  return all;
}

std::string describe(const ModelSettings& settings) {
  return fmt::format("{}, {}, {}", settings.attention, name_of(settings.normalizer), name_of(settings.aggregation));
}

/// The loss on the batch above; its gradient is added to `gradients`.
double loss(const GPT& model, CircuitKernel kernel, const Tensor& gradients) {
  Pass pass(model.parameters(), gradients, 0, {}, kernel);
  const Variable mean = cross_entropy(model.logits(pass, inputs, batch), targets);
  backward(mean);
  return static_cast<double>(mean.value().item());
}

double distance(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
  }
  return largest;
}

Tensor random_tensor(Random& random, const Shape& shape) {
  Tensor x(shape);
  for (Real& value : x.values()) value = static_cast<Real>(random.normal());
  return x;
}

/// The columns of two heads of K numbers, each column D / K times.
Variable repeat_columns(const Variable& x, Index D) {
  const Index heads = 2, K = x.shape()[1] / heads;
  std::vector<Variable> columns;
  for (Index head = 0; head < heads; ++head) {
    for (Index d = 0; d < D; ++d) columns.push_back(narrow(x, 1, head * K + d % K, 1));
  }
  return concat(columns, 1);
}

TEST_CASE("The table holds the paper's mechanisms, each once, and an unknown name lists them all") {
  std::vector<std::string> names = all_names();
  std::string listed;
  for (const std::string& name : names) {
    listed += (listed.empty() ? "" : ", ") + name;
    CHECK(find_mechanism(name).name == name);
  }
  CHECK_THROWS_MATCHES(find_mechanism("qisa-v4"), Error,
                       Message("there is no attention mechanism \"qisa-v4\"; choose one of " + listed));
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  for (const char* name : {"csa", "qisa", "qisa-v1", "qisa-v2", "qisa-v3"}) {
    CHECK(std::binary_search(names.begin(), names.end(), name));
  }
}

TEST_CASE("A head has as many trained numbers as the paper's table says") {
  // n_embd 12 on 4 wires, head_size 4: 3 n h; 9 wires; 9 wires; 2 (n + 1) h + 3 wires; 2 (n + 1) h + n^2.
  const std::map<std::string, Index> expected = {
      {"csa", 144}, {"qisa-v1", 36}, {"qisa-v2", 36}, {"qisa-v3", 116}, {"qisa", 248}};
  for (const auto& [name, count] : expected) {
    ModelSettings settings = small_settings(name);
    settings.n_embd = 12;
    settings.n_head = 3;
    const GPT model(settings, 1);
    std::map<std::string, Index> of_head;  // by "blocks.L.mhsa.heads.H"
    for (const NamedParameter& part : model.parameters().names()) {
      const std::size_t heads = part.name.find(".heads.");
      if (heads != std::string::npos) of_head[part.name.substr(0, heads + 8)] += part.shape.size();
    }
    INFO(name);
    CHECK(of_head.size() == 6);
    for (const auto& [head, numbers] : of_head) CHECK(numbers == count);
  }
}

#ifdef QISA_DOUBLE
TEST_CASE("Every mechanism's gradient is that of finite differences") {
  for (ModelSettings settings : all_settings()) {
    INFO(describe(settings));
    settings.n_layer = 1;
    GPT model(settings, 5);
    const Index count = model.parameters().size();
    const Tensor gradient = Tensor::zeros({count}), unused = Tensor::zeros({count});
    loss(model, CircuitKernel::adjoint, gradient);
    double error = 0;
    for (Index i = 0; i < count; ++i) {
      Real& value = model.parameters().values()[i];
      const Real start = value, step = Real(1e-5);
      value = start + step;
      const double above = loss(model, CircuitKernel::adjoint, unused);
      value = start - step;
      const double below = loss(model, CircuitKernel::adjoint, unused);
      value = start;
      error = std::max(error, std::abs(static_cast<double>(gradient[i]) - (above - below) / 2e-5));
    }
    CHECK(error < 1e-8);
  }
}
#endif

TEST_CASE("Every mechanism's gradient is the same with all kernels") {
  for (const ModelSettings& settings : all_settings()) {
    INFO(describe(settings));
    const GPT model(settings, 5);
    std::vector<Tensor> gradients;
    for (const CircuitKernel kernel : {CircuitKernel::stepwise, CircuitKernel::adjoint, CircuitKernel::fused}) {
      gradients.push_back(Tensor::zeros({model.parameters().size()}));
      loss(model, kernel, gradients.back());
    }
    CHECK(distance(gradients[0], Tensor::zeros(gradients[0].shape())) > 0.01);
    CHECK(distance(gradients[0], gradients[1]) < (is_double ? 1e-13 : 1e-5));
    CHECK(distance(gradients[0], gradients[2]) < (is_double ? 1e-13 : 1e-5));
  }
}

TEST_CASE("All kernels give every mechanism the same logits") {
  for (const ModelSettings& settings : all_settings()) {
    INFO(describe(settings));
    const GPT model(settings, 6);
    std::vector<Tensor> logits;
    for (const CircuitKernel kernel : {CircuitKernel::stepwise, CircuitKernel::adjoint, CircuitKernel::fused}) {
      Pass pass(model.parameters(), kernel);
      logits.push_back(model.logits(pass, inputs, batch).value());
    }
    CHECK(distance(logits[0], logits[1]) < (is_double ? 1e-13 : 1e-5));
    CHECK(distance(logits[0], logits[2]) < (is_double ? 1e-13 : 1e-5));
  }
}

TEST_CASE("Tokens read one by one with a cache give every mechanism the logits of the whole text") {
  for (const std::string& name : all_names()) {
    INFO(name);
    const GPT model(small_settings(name), 7);
    const std::span text = std::span(inputs).first(length);
    Pass pass(model.parameters());
    const Tensor whole = model.logits(pass, text, 1).value();
    GenerationCache cache = model.new_cache();
    for (Index i = 0; i < length; ++i) {
      const Tensor last = model.logits(pass, text.subspan(static_cast<std::size_t>(i), 1), 1, &cache).value();
      CHECK(distance(last, whole.part(i * 5, {1, 5})) < (is_double ? 1e-13 : 1e-5));
    }
  }
}

TEST_CASE("Attention on narrow queries and keys is attention on their columns repeated") {
  Random random(8, Purpose::tests);
  for (const Index K : {1, 2}) {
    for (const Score score : {Score::dot, Score::gaussian}) {
      for (const Normalizer normalizer : {Normalizer::sum, Normalizer::softmax}) {
        if (score == Score::dot && normalizer == Normalizer::softmax) continue;
        AttentionSettings narrow;
        narrow.batch = 2;
        narrow.queries = narrow.keys = 3;
        narrow.heads = 2;
        narrow.head_size = 4;
        narrow.score = score;
        narrow.scale = Real(0.3);
        narrow.normalizer = normalizer;
        AttentionSettings wide = narrow;
        narrow.key_size = K;
        const Tensor weights = random_tensor(random, {6, 8});
        std::vector<Variable> x, y;
        for (const Index columns : {2 * K, 2 * K, Index{8}}) {
          x.push_back(Variable::leaf(random_tensor(random, {6, columns})));
          y.push_back(Variable::leaf(x.back().value()));
        }
        DropoutStream stream;
        const Variable a = attention({x[0]}, {x[1]}, {x[2]}, narrow, stream);
        const Variable b = attention({repeat_columns(y[0], 4)}, {repeat_columns(y[1], 4)}, {y[2]}, wide, stream);
        backward(sum(a * Variable(weights)));
        backward(sum(b * Variable(weights)));
        INFO("K " << K << ", score " << static_cast<int>(score) << ", normalizer " << static_cast<int>(normalizer));
        CHECK(distance(a.value(), b.value()) < (is_double ? 1e-14 : 1e-6));
        for (std::size_t i = 0; i < 3; ++i) {
          CHECK(distance(x[i].gradient(), y[i].gradient()) < (is_double ? 1e-13 : 1e-5));
          CHECK(distance(x[i].gradient(), Tensor::zeros(x[i].shape())) > 0.01);
        }
      }
    }
  }
  AttentionSettings settings;
  settings.head_size = 4;
  settings.key_size = 3;
  const HeadColumns x{Variable(Tensor::zeros({1, 4}))};
  CHECK_THROWS_MATCHES(attention_weights(x, x, settings), Error,
                       Message("[attention] 3 columns of q and k a head cannot be repeated to head_size 4"));
}

TEST_CASE("In qisa-v1, ry1 of q and k has an effect on wire 0 alone") {
  const GPT model(small_settings("qisa-v1"), 9);
  const Tensor gradients = Tensor::zeros({model.parameters().size()});
  loss(model, CircuitKernel::adjoint, gradients);
  const auto gradient = [&](const char* circuit, int wire) {
    const std::string name = fmt::format("blocks.0.mhsa.heads.1.qsa.{}.ry1.{}.params", circuit, wire);
    return std::abs(static_cast<double>(model.parameters().part(gradients, name).item()));
  };
  for (const char* circuit : {"q_slow", "k_slow"}) {
    CHECK(gradient(circuit, 0) > 1e-5);
    CHECK(gradient(circuit, 1) < 1e-8);
    CHECK(gradient(circuit, 2) < 1e-8);
  }
}

TEST_CASE("Dead outputs of qisa are the columns of v that are 0, and other mechanisms have none") {
  ModelSettings settings = small_settings("qisa");
  settings.n_embd = 32;
  const GPT model(settings, 10);
  Random random(10, Purpose::tests);
  const Tensor x = random_tensor(random, {3, 32});
  Index zero_columns = 0;
  for (const LayerStrings& layer : model.pauli_strings()) {
    Parameters parameters;
    const auto mechanism = find_mechanism("qisa").make({parameters, "layer", settings, layer});
    parameters.initialize(1);
    Pass pass(parameters, CircuitKernel::stepwise);
    AttentionSettings attention;
    const Tensor v = mechanism(pass, Variable(x), attention).v.matrix.value();
    REQUIRE(v.shape() == Shape{3, 32});
    for (Index m = 0; m < 32; ++m) zero_columns += v[m] == 0 && v[32 + m] == 0 && v[64 + m] == 0;
  }
  CHECK(zero_columns > 0);
  CHECK(zero_columns < 64);
  CHECK(dead_outputs("qisa", model.pauli_strings()) == zero_columns);
  CHECK(dead_outputs("qisa-v3", model.pauli_strings()) == 0);
}

TEST_CASE("Real strings are drawn as often as their probability says, and none is dead") {
  // On two wires X and Z come with 0.1 / 3, I with 0.9, and YY is the only string with Y.
  Random random(11, Purpose::tests);
  constexpr int count = 100'000;
  std::map<std::string, double> counts;
  for (const PauliString& string : draw_pauli_strings(random, 2, count, PauliChoice::real)) ++counts[string.text()];
  const double rare = 0.1 / 3, total = 4 * 0.9 * rare + 5 * rare * rare;
  double seen = 0;
  for (const char* text : {"IX", "IZ", "XI", "ZI", "XX", "XZ", "ZX", "ZZ", "YY"}) {
    const double expected =
        count * (std::string(text).find('I') == std::string::npos ? rare * rare : 0.9 * rare) / total;
    CAPTURE(text, expected, counts[text]);
    CHECK(std::abs(counts[text] - expected) < 5 * std::sqrt(expected));  // five standard deviations
    seen += counts[text];
  }
  CHECK(seen == count);

  ModelSettings settings = small_settings("qisa");
  settings.n_embd = 32;
  settings.pauli = PauliChoice::real;
  CHECK(dead_outputs("qisa", GPT(settings, 10).pauli_strings()) == 0);
}

TEST_CASE("The choice of strings is a model's setting, and a model of real strings refuses others") {
  ModelSettings settings = small_settings("qisa");
  CHECK(to_text(settings).at("pauli") == "published");
  settings.pauli = PauliChoice::real;
  auto text = to_text(settings);
  CHECK(text.at("pauli") == "real");
  CHECK(settings_from_text(text).pauli == PauliChoice::real);
  text["pauli"] = "imaginary";
  CHECK_THROWS_MATCHES(settings_from_text(text), Error,
                       Message("setting pauli must be published or real, not \"imaginary\""));
  settings.n_layer = 1;
  settings.n_head = 6;
  ModelStrings strings = {LayerStrings(6, {PauliString("XYY")})};
  CHECK_NOTHROW(GPT(settings, strings));
  strings[0][5] = {PauliString("YII")};
  CHECK_THROWS_MATCHES(
      GPT(settings, strings), Error,
      Message("layer 0, head 5 has the Pauli string YII with an odd number of Y in a model of real strings"));
}

}  // namespace mechanisms_test
