// gaussian: q, k and v are linear in x without bias, as in csa; scores are exp(-|q - k|^2), as in qisa.
// Trained numbers a head: 3 n_embd head_size.
#include "autograd/operations.hpp"
#include "nn/attention/mechanism.hpp"

namespace qisa {
namespace {

class GaussianAttention final : public Mechanism {
 public:
  GaussianAttention(Parameters& parameters, const std::string& name, const ModelSettings& settings)
      : width_(settings.n_embd),
        weight_(parameters.add(name + ".qkv.weight", {3 * width_, width_}, settings.weight_initial(width_))) {}

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qkv = linear(x, pass(weight_));  // [tokens, 3 n_embd]: q of all heads, then k, then v
    return {{qkv, 0}, {qkv, width_}, {qkv, 2 * width_}};
  }

  void set_score(AttentionSettings& settings, const Pass&) const override { settings.score = Score::gaussian; }

 private:
  Index width_;
  Parameter weight_;
};

}  // namespace

std::unique_ptr<Mechanism> make_gaussian(Parameters& parameters, const std::string& name, const ModelSettings& settings,
                                         const LayerStrings&) {
  return std::make_unique<GaussianAttention>(parameters, name, settings);
}

}  // namespace qisa

// All above stands in docs/mechanisms.md, where a reader learns from it how to add a mechanism. Below:
// that it does stand there, to the letter, and that it works.
#include <fstream>
#include <sstream>

#include "autograd/backward.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace {

const MechanismEntry entry = MechanismEntry{"gaussian", false, false, make_gaussian};

std::string read_text(const std::string& path) {
  std::ifstream file(QISA_SOURCE_DIR "/" + path);
  INFO(path);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// One attention layer, made from the entry as a model does it.
struct Layer {
  ModelSettings settings;
  Parameters parameters;
  std::unique_ptr<Mechanism> mechanism;

  explicit Layer(std::uint64_t seed) {
    settings.n_embd = 6;
    settings.n_head = 2;
    mechanism = entry.make(parameters, "layer", settings, LayerStrings(2));
    parameters.initialize(seed);
  }

  /// x [tokens, n_embd], one sequence -> the same shape.
  Variable operator()(Pass& pass, const Variable& x) const {
    AttentionSettings attention_settings;
    attention_settings.queries = attention_settings.keys = x.shape()[0];
    attention_settings.heads = settings.n_head;
    attention_settings.head_size = settings.head_size();
    mechanism->set_score(attention_settings, pass);
    const Projections projections = mechanism->project(pass, x);
    return attention(projections.q, projections.k, projections.v, attention_settings, pass.stream());
  }
};

Tensor random_rows(Index tokens) {
  Random random(8, Purpose::tests);
  Tensor x({tokens, 6});
  for (Real& value : x.values()) value = static_cast<Real>(random.normal());
  return x;
}

/// The mean square difference between a layer's output and a target; adds its gradient to `gradients`.
double distance(const Layer& layer, const Tensor& x, const Tensor& target, const Tensor& gradients) {
  Pass pass(layer.parameters, gradients, 0, {});
  const Variable difference = layer(pass, Variable(x)) - Variable(target);
  const Variable loss = mean(difference * difference);
  backward(loss);
  return static_cast<double>(loss.value().item());
}

}  // namespace

TEST_CASE("The code in docs/mechanisms.md is the code that is tested here, to the letter") {
  const std::string page = read_text("docs/mechanisms.md"),
                    test = read_text("tests/nn/attention/example_mechanism_test.cpp");
  const std::string opening = "```cpp\n", closing = "\n```";
  int blocks = 0;
  for (std::size_t at = page.find(opening); at != std::string::npos; at = page.find(opening, at)) {
    at += opening.size();
    const std::size_t end = page.find(closing, at);
    REQUIRE(end != std::string::npos);
    const std::string block = page.substr(at, end - at);
    INFO(block);
    CHECK(test.find(block) != std::string::npos);
    ++blocks;
  }
  CHECK(blocks == 2);
}

TEST_CASE("The example mechanism learns to do what another layer of its kind does") {
  const Layer teacher(1);
  Layer student(2);
  const Tensor x = random_rows(24);
  Pass teaching(teacher.parameters);
  const Tensor target = teacher(teaching, Variable(x)).value();
  Tensor gradients = Tensor::zeros({student.parameters.size()});
  const double before = distance(student, x, target, gradients);
  double after = before;
  for (int step = 0; step < 2000; ++step) {
    for (Index i = 0; i < gradients.size(); ++i) student.parameters.values()[i] -= gradients[i];
    gradients.fill(0);
    after = distance(student, x, target, gradients);
  }
  CHECK(before > 0.01);
  CHECK(after < before / 100);
}

TEST_CASE("The gradients of the example mechanism are those of finite differences") {
  if constexpr (sizeof(Real) == 8) {
    Layer layer(3);
    const Tensor x = random_rows(5), target = random_rows(5), unused = Tensor::zeros({layer.parameters.size()});
    const Tensor gradients = Tensor::zeros(unused.shape());
    distance(layer, x, target, gradients);
    for (Index i = 0; i < gradients.size(); ++i) {
      Real& value = layer.parameters.values()[i];
      const Real start = value, step = Real(1e-6);
      value = start + step;
      const double above = distance(layer, x, target, unused);
      value = start - step;
      const double below = distance(layer, x, target, unused);
      value = start;
      INFO("number " << i);
      CHECK(static_cast<double>(gradients[i]) == Approx((above - below) / 2e-6).margin(1e-8));
    }
  }
}
