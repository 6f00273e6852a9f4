// AdamW by hand, gradient clipping, and the learning rate's schedule. (golden_training_test.cpp compares
// AdamW with PyTorch's.)
#include "nn/training/adamw.hpp"

#include <cmath>

#include "tests/catch.hpp"

using namespace qisa;

namespace adamw_test {

constexpr double tolerance = sizeof(Real) == 8 ? 1e-14 : 1e-6;

double at(const Tensor& tensor, Index i) { return static_cast<double>(tensor[i]); }

TEST_CASE("AdamW's first two steps by hand") {
  Parameters parameters;
  parameters.add("weight", {3}, Initial::constant(2));
  parameters.initialize(0);
  AdamWSettings settings;
  settings.beta1 = 0.5;
  settings.beta2 = 0.75;
  settings.epsilon = 1;
  settings.weight_decay = 0.2;
  AdamW optimizer(parameters, settings);

  // m = g/2, v = g^2/4; bias-corrected they are g and g^2. p = 2 (1 - 0.1 · 0.2) - 0.1 g / (|g| + 1).
  optimizer.step(parameters.values(), Tensor({3}, {3, -1, 0}), 0.1);
  CHECK(optimizer.steps == 1);
  CHECK(at(optimizer.first_moment, 0) == Approx(1.5).epsilon(tolerance));
  CHECK(at(optimizer.second_moment, 0) == Approx(2.25).epsilon(tolerance));
  CHECK(at(parameters.values(), 0) == Approx(1.96 - 0.075).epsilon(tolerance));
  CHECK(at(parameters.values(), 1) == Approx(1.96 + 0.05).epsilon(tolerance));
  CHECK(at(parameters.values(), 2) == Approx(1.96).epsilon(tolerance));

  // m = 0.5 · 1.5 + 0.5 · 2, v = 0.75 · 2.25 + 0.25 · 4; they are corrected by 1 - 1/4 and 1 - 9/16.
  optimizer.step(parameters.values(), Tensor({3}, {2, 0, 0}), 0.5);
  CHECK(optimizer.steps == 2);
  CHECK(at(optimizer.first_moment, 0) == Approx(1.75).epsilon(tolerance));
  CHECK(at(optimizer.second_moment, 0) == Approx(2.6875).epsilon(tolerance));
  const double update = 1.75 / 0.75 / (std::sqrt(2.6875 / 0.4375) + 1);
  CHECK(at(parameters.values(), 0) == Approx(1.885 * 0.9 - 0.5 * update).epsilon(tolerance));
}

TEST_CASE("Moments of another shape cannot be restored") {
  Parameters parameters;
  parameters.add("weight", {3}, Initial::constant(0));
  parameters.initialize(0);
  AdamW optimizer(parameters, {});
  const Tensor fits = Tensor::zeros({3}), other = Tensor::zeros({4});
  CHECK_THROWS_AS(optimizer.restore(1, other, fits), Error);
  CHECK_THROWS_AS(optimizer.restore(1, fits, other), Error);
  CHECK(optimizer.steps == 0);
}

TEST_CASE("Every parameter decays, or matrices only") {
  for (const bool decay_all : {true, false}) {
    Parameters parameters;
    parameters.add("norm", {4}, Initial::constant(1));
    parameters.add("matrix", {2, 3}, Initial::constant(1));
    parameters.add({3, 2}, {{"angle.0", {1, 1}}, {"head", {2, 2}}, {"angle.1", {1, 1}}}, Initial::constant(1));
    parameters.add("row", {1, 2}, Initial::constant(1));
    parameters.add("bias", {2}, Initial::constant(1));
    parameters.initialize(0);
    AdamWSettings settings;
    settings.weight_decay = 0.5;
    settings.decay_all = decay_all;
    AdamW optimizer(parameters, settings);
    optimizer.step(parameters.values(), Tensor::zeros({parameters.size()}), 0.25);
    for (const char* name : {"norm", "matrix", "angle.0", "head", "angle.1", "row", "bias"}) {
      const bool is_matrix = std::string("matrix head row").find(name) != std::string::npos;
      const Tensor values = parameters.part(parameters.values(), name);
      INFO(name);
      for (const Real value : values.values()) CHECK(value == (decay_all || is_matrix ? Real(0.875) : Real(1)));
    }
  }
}

TEST_CASE("An update that is split over threads is the same, every number of it") {
  constexpr Index rows = 300, columns = 500;  // more than two of the pieces that are given out
  const auto updated = [](Workers* workers) {
    Parameters parameters;
    parameters.add("norm", {5}, Initial::constant(1));
    parameters.add("matrix", {rows, columns}, Initial::uniform(1));
    parameters.add("bias", {7}, Initial::constant(1));
    parameters.initialize(3);
    AdamWSettings settings;
    settings.decay_all = false;
    settings.weight_decay = 0.3;
    AdamW optimizer(parameters, settings);
    Random random(1, Purpose::tests);
    Tensor gradient({parameters.size()});
    for (Real& value : gradient.values()) value = static_cast<Real>(random.normal());
    for (int step = 0; step < 2; ++step) optimizer.step(parameters.values(), gradient, 0.1, workers);
    return parameters.values();
  };
  Workers workers(3);
  const Tensor alone = updated(nullptr), split = updated(&workers);
  Index differences = 0;
  for (Index i = 0; i < alone.size(); ++i) differences += alone[i] != split[i];
  CHECK(differences == 0);
}

TEST_CASE("A gradient longer than the limit is scaled to it, others are left alone") {
  const auto clipped = [](double limit) {
    Tensor gradient({4}, {2, -4, 0, 4});  // of norm 6
    const double norm = clip_gradient(gradient, limit);
    CHECK(norm == Approx(6).epsilon(1e-12));
    return gradient;
  };
  for (const double limit : {0.0, 6.0, 7.0}) {
    const Tensor gradient = clipped(limit);
    CHECK(gradient[0] == 2);
    CHECK(gradient[1] == -4);
    CHECK(gradient[3] == 4);
  }
  const Tensor gradient = clipped(1.5);
  CHECK(at(gradient, 0) == Approx(0.5).epsilon(tolerance));
  CHECK(at(gradient, 1) == Approx(-1).epsilon(tolerance));
  CHECK(gradient[2] == 0);
  CHECK(at(gradient, 3) == Approx(1).epsilon(tolerance));
}

TEST_CASE("The norm of a gradient is summed in double, and shows what is not a number") {
  Tensor many = Tensor::full({1 << 20}, Real(0.5));
  CHECK(clip_gradient(many, 0) == Approx(512).epsilon(1e-12));
  Tensor large = Tensor::full({4}, Real(1e30));
  CHECK(clip_gradient(large, 1) == Approx(2e30).epsilon(1e-6));
  CHECK(at(large, 0) == Approx(0.5).epsilon(tolerance));
  Tensor broken({2}, {1, NAN});
  CHECK(std::isnan(clip_gradient(broken, 1)));
}

TEST_CASE("The learning rate warms up, falls along half a cosine and stays at its end") {
  const LearningRateSchedule schedule{1.0, 0.2, 4, 24};
  for (Index step = 0; step < 4; ++step) CHECK(schedule(step) == Approx(0.2 * static_cast<double>(step + 1)));
  CHECK(schedule(4) == Approx(1));
  CHECK(schedule(9) == Approx(0.6 + 0.4 * std::sqrt(0.5)));  // a quarter of the way
  CHECK(schedule(14) == Approx(0.6));                        // half of it
  CHECK(schedule(19) == Approx(0.6 - 0.4 * std::sqrt(0.5)));
  CHECK(schedule(24) == Approx(0.2));
  CHECK(schedule(1'000'000) == Approx(0.2));
  for (Index step = 4; step < 24; ++step) CHECK(schedule(step + 1) < schedule(step));
}

TEST_CASE("The learning rate is constant where both ends are alike and nothing warms up") {
  const LearningRateSchedule constant{3e-3, 3e-3, 0, 100};
  for (const Index step : {0, 1, 50, 99, 100, 5000}) CHECK(constant(step) == Approx(3e-3).epsilon(1e-15));
  const LearningRateSchedule none{3e-3, 3e-3, 0, 0};
  CHECK(none(0) == 3e-3);
  const LearningRateSchedule warm{1, 1, 3, 3};  // warm-up alone
  CHECK(warm(0) == Approx(0.25));
  CHECK(warm(3) == 1);
}

}  // namespace adamw_test
