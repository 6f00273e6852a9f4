// Whole models against the published reference: logits, loss and the gradient of every parameter, with
// each circuit kernel.
#include <set>

#include "autograd/backward.hpp"
#include "autograd/operations.hpp"
#include "tests/nn/golden.hpp"

using namespace qisa;
using namespace qisa::test;

namespace golden_model_test {

constexpr double tolerance = sizeof(Real) == 8 ? 1e-11 : 1e-4;
constexpr double smallest = 1e-3;  // the size below which errors of gradients are taken as absolute

/// One forward and backward pass, as in training.
void compare_training_pass(const GPT& model, const SafetensorsFile& file, CircuitKernel kernel) {
  const Shape shape = file.entry("input/x").shape();
  const std::vector<std::int32_t> inputs = golden_tokens(file, "input/x", 0, shape.size());
  const std::vector<std::int32_t> targets = golden_tokens(file, "input/y", 0, shape.size());
  const Tensor gradients = Tensor::zeros({model.parameters().size()});
  Pass pass(model.parameters(), gradients, 0, {}, kernel);
  const Variable logits = model.logits(pass, inputs, shape[0]);
  const Variable loss = cross_entropy(logits, targets);
  backward(loss);
  CHECK(relative_error(logits.value(), file.tensor("output/logits"), smallest) < tolerance);
  CHECK(relative_error(loss.value(), file.tensor("output/loss"), smallest) < tolerance);
  for (const NamedParameter& part : model.parameters().names()) {
    INFO("gradient of " << part.name);
    const Tensor expected = file.tensor("grad/" + part.name);
    CHECK(relative_error(model.parameters().part(gradients, part.name), expected, smallest) < tolerance);
  }
}

/// Logits without gradients, from fused circuits.
void compare_fused_logits(const GPT& model, const SafetensorsFile& file) {
  const Shape shape = file.entry("input/x").shape();
  Pass pass(model.parameters(), CircuitKernel::fused);
  const Tensor logits = model.logits(pass, golden_tokens(file, "input/x", 0, shape.size()), shape[0]).value();
  CHECK(relative_error(logits, file.tensor("output/logits"), smallest) < tolerance);
  if (file.contains("output/logits_fast")) {
    CHECK(relative_error(logits, file.tensor("output/logits_fast"), smallest) < tolerance);
  }
}

TEST_CASE("Models agree with the published reference in logits, loss and every gradient") {
  int compared = 0, skipped = 0;
  std::set<std::string> missing;
  for (const auto& [path, file] : golden_files("model")) {
    INFO(path);
    if (!has_mechanism(file)) {
      ++skipped;
      missing.insert(golden_mechanism(file));
      continue;
    }
    const GPT model = golden_model(file, "param/");
    {
      INFO("stepwise kernel");
      compare_training_pass(model, file, CircuitKernel::stepwise);
    }
    {
      INFO("adjoint kernel");
      compare_training_pass(model, file, CircuitKernel::adjoint);
    }
    INFO("fused kernel");
    compare_fused_logits(model, file);
    ++compared;
  }
  if (skipped > 0) WARN(fmt::format("skipped {} golden models of {}", skipped, fmt::join(missing, ", ")));
  INFO("golden models compared: " << compared << ", skipped: " << skipped);
  REQUIRE(compared > 0);
}

}  // namespace golden_model_test
