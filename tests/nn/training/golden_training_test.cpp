// Training against the published reference: five AdamW steps of a small model, and AdamW on its own with
// given gradients. Learning rate 3e-3, other settings PyTorch's: beta 0.9 and 0.999, epsilon 1e-8, decay
// 0.01 on every parameter.
#include "autograd/backward.hpp"
#include "autograd/operations.hpp"
#include "nn/training/adamw.hpp"
#include "tests/nn/golden.hpp"

using namespace qisa;
using namespace qisa::test;

namespace golden_training_test {

constexpr bool is_double = sizeof(Real) == 8;
constexpr double learning_rate = 3e-3;
constexpr double tolerance = is_double ? 1e-10 : 1e-4;
constexpr double parameter_tolerance = is_double ? 1e-9 : 1e-5;  // absolute

/// The largest difference where `chosen` is not 0.
double largest_difference(const Tensor& actual, const Tensor& expected, const std::vector<Index>& chosen) {
  REQUIRE(actual.shape() == expected.shape());
  REQUIRE(actual.size() == std::ssize(chosen));
  double largest = 0;
  for (Index i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
    if (chosen[static_cast<std::size_t>(i)] != 0 && !(difference <= largest)) largest = difference;
  }
  return largest;
}

/// Only entries marked stable are compared: AdamW divides by the size of the gradient, so where that is
/// tiny rounding decides the update.
void compare_training(const SafetensorsFile& file) {
  GPT model = golden_model(file, "param0/");
  Parameters& parameters = model.parameters();
  AdamW optimizer(parameters, {});
  const Shape shape = file.entry("input/x").shape();  // [steps, sequences, length]
  const Index steps = shape[0], tokens = shape[1] * shape[2];
  const Tensor losses = file.tensor("output/loss");
  REQUIRE(losses.size() == steps);
  const auto each = [&](const Tensor& flat, const std::string& prefix, auto compare) {
    for (const auto& [name, offset, unused] : parameters.names()) {
      INFO(prefix << name);
      compare(parameters.part(flat, name), file.tensor(prefix + name), integers_of(file, "stable/" + name));
    }
  };
  const auto relative = [](const Tensor& actual, const Tensor& expected, const auto&) {
    CHECK(relative_error(actual, expected, 1e-3) < tolerance);
  };
  const auto where_stable = [](const Tensor& actual, const Tensor& expected, const auto& stable) {
    CHECK(largest_difference(actual, expected, stable) < parameter_tolerance);
  };

  for (Index step = 0; step < steps; ++step) {
    Tensor gradient = Tensor::zeros({parameters.size()});
    Pass pass(parameters, gradient, 0, {});
    const Variable logits = model.logits(pass, golden_tokens(file, "input/x", step * tokens, tokens), shape[1]);
    const Variable loss = cross_entropy(logits, golden_tokens(file, "input/y", step * tokens, tokens));
    backward(loss);
    CHECK(static_cast<double>(loss.value().item()) ==
          Approx(static_cast<double>(losses[step])).epsilon(is_double ? 1e-10 : 1e-5));
    if (step == 0) each(gradient, "grad1/", relative);
    optimizer.step(parameters.values(), gradient, learning_rate);
    each(parameters.values(), fmt::format("param{}/", step + 1), where_stable);
  }
  each(optimizer.first_moment, "exp_avg/", relative);
  each(optimizer.second_moment, "exp_avg_sq/", relative);
}

void compare_optimizer(const SafetensorsFile& file) {
  const Tensor start = file.tensor("param0"), gradients = file.tensor("grad");
  Parameters parameters;
  parameters.add("weight", start.shape(), Initial::constant(0));
  parameters.initialize(0);
  std::copy_n(start.data(), start.size(), parameters.values().data());
  AdamW optimizer(parameters, {});
  const Index steps = gradients.shape()[0];
  REQUIRE(steps > 0);
  constexpr double relative = is_double ? 1e-13 : 1e-6, never = 1e-30;
  for (Index step = 0; step < steps; ++step) {
    optimizer.step(parameters.values(), gradients.part(step * start.size(), {start.size()}), learning_rate);
    const auto expected = [&](const char* name) { return file.tensor(fmt::format("{}{}", name, step + 1)); };
    INFO("after step " << step + 1);
    CHECK(relative_error(parameters.values(), expected("param"), never) < relative);
    CHECK(relative_error(optimizer.first_moment, expected("exp_avg"), never) < relative);
    CHECK(relative_error(optimizer.second_moment, expected("exp_avg_sq"), never) < relative);
  }
}

TEST_CASE("AdamW trains as the published reference does") {
  int compared = 0;
  for (const auto& [path, file] : golden_files("train")) {
    INFO(path);
    if (!has_mechanism(file)) {
      WARN("skipped a training run of " << golden_mechanism(file));
      continue;
    }
    compare_training(file);
    ++compared;
  }
  for (const auto& [path, file] : golden_files("optimizer")) {
    INFO(path);
    compare_optimizer(file);
    ++compared;
  }
  INFO("golden training runs compared: " << compared);
  REQUIRE(compared > 0);
}

}  // namespace golden_training_test
