// What a case of the gradient tables is, and how one is checked: the shape of its result, its
// gradients against finite differences, and that each input's gradient does not depend on which
// other inputs are constants.
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "autograd/backward.hpp"
#include "autograd/gradient_check.hpp"
#include "autograd/operations.hpp"
#include "tensor/random.hpp"
#include "tests/catch.hpp"

namespace qisa::test {

using Inputs = std::span<const Variable>;

/// Where the elements of a case's inputs are drawn from.
enum class Draw {
  both_signs,  // 0.3 to 1.5 and its negative: no kink of relu and no pole of division is near
  positive,    // 0.3 to 1.5
};

struct GradientCase {
  std::string operation;      // its name in the header
  std::vector<Shape> inputs;  // their shapes
  Shape result;               // the shape that the output must have
  std::function<Variable(Inputs)> function;
  Draw draw = Draw::both_signs;
};

inline Tensor random_tensor(const Shape& shape, Random& random, Draw draw = Draw::both_signs) {
  Tensor x(shape);
  for (Real& value : x.values()) {
    const double size = random.uniform(0.3, 1.5);
    value = static_cast<Real>(draw == Draw::both_signs && random.below(2) == 0 ? -size : size);
  }
  return x;
}

inline std::string describe(const GradientCase& c) {
  std::string text = c.operation;
  for (const Shape& shape : c.inputs) text += " " + shape.to_string();
  return text;
}

/// The gradients of all elements of the output, weighted by 1, 2, 3, …; only inputs i with wanted(i)
/// are leaves, the others are constants.
template <class Wanted>
std::vector<Tensor> gradients(const GradientCase& c, std::span<const Tensor> points, Wanted wanted) {
  std::vector<Variable> variables;
  for (std::size_t i = 0; i < points.size(); ++i) {
    variables.push_back(wanted(i) ? Variable::leaf(points[i]) : Variable(points[i]));
  }
  const Variable output = c.function(variables);
  REQUIRE(output.shape() == c.result);
  for (const Real value : output.value().values()) REQUIRE(std::isfinite(value));
  Tensor seed(output.shape());
  for (Index i = 0; i < seed.size(); ++i) seed[i] = static_cast<Real>(i + 1);
  backward(output, seed);
  std::vector<Tensor> result;
  for (const Variable& variable : variables) {
    result.push_back(variable.requires_gradient() ? variable.gradient() : Tensor());
  }
  return result;
}

/// Against finite differences in the double flavour; in float, where those are too coarse, that
/// values and gradients are finite. In both, shapes and the gradient of each input on its own.
inline void check_case(const GradientCase& c) {
  CAPTURE(describe(c));
  Random random(1, Purpose::tests);
  std::vector<Tensor> points;
  Index elements = 0;
  for (const Shape& shape : c.inputs) {
    points.push_back(random_tensor(shape, random, c.draw));
    elements += shape.size();
  }

  const std::vector<Tensor> all = gradients(c, points, [](std::size_t) { return true; });
  for (std::size_t i = 0; i < points.size(); ++i) {
    REQUIRE(all[i].shape() == c.inputs[i]);
    for (const Real value : all[i].values()) REQUIRE(std::isfinite(value));
    const Tensor alone = gradients(c, points, [i](std::size_t j) { return i == j; })[i];
    REQUIRE(alone.shape() == c.inputs[i]);
    for (Index e = 0; e < alone.size(); ++e) {
      CHECK(static_cast<double>(alone[e]) == Approx(static_cast<double>(all[i][e])).epsilon(1e-5).margin(1e-5));
    }
  }

  if constexpr (sizeof(Real) == sizeof(double)) {
    const GradientCheck worst = check_gradients(c.function, points);
    CAPTURE(worst.input, worst.element, worst.analytic, worst.numeric);
    CHECK(worst.compared == elements);
    CHECK(worst.error < 1e-7);
  }
}

}  // namespace qisa::test
