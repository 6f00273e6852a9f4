#include "autograd/gradient_check.hpp"

#include <cmath>

#include "autograd/backward.hpp"
#include "tensor/random.hpp"

namespace qisa {
namespace {

Tensor output_weights(const Shape& shape) {
  Random random(1, Purpose::tests);
  Tensor weights(shape);
  for (Real& weight : weights.values()) weight = static_cast<Real>(random.uniform(0.5, 1.5));
  return weights;
}

double weighted_sum(const Tensor& output, const Tensor& weights) {
  double total = 0;
  for (Index i = 0; i < output.size(); ++i) total += static_cast<double>(output[i]) * static_cast<double>(weights[i]);
  return total;
}

}  // namespace

GradientCheck check_gradients(const std::function<Variable(std::span<const Variable>)>& function,
                              std::span<const Tensor> inputs, double step) {
  std::vector<Tensor> points;  // copies, so that elements can be moved
  std::vector<Variable> leaves;
  for (const Tensor& input : inputs) {
    points.push_back(input.clone());
    leaves.push_back(Variable::leaf(input.clone()));
  }
  const Variable output = function(leaves);
  const Tensor weights = output_weights(output.shape());
  backward(output, weights);

  const auto value_at_points = [&] {
    const NoGradient no_gradient;
    const std::vector<Variable> constants(points.begin(), points.end());
    return weighted_sum(function(constants).value(), weights);
  };
  GradientCheck worst;
  for (std::size_t input = 0; input < points.size(); ++input) {
    const Tensor gradient = leaves[input].gradient();
    for (Index element = 0; element < points[input].size(); ++element) {
      Real& x = points[input][element];
      const Real before = x;
      x = static_cast<Real>(static_cast<double>(before) + step);
      const double above = static_cast<double>(x), f_above = value_at_points();
      x = static_cast<Real>(static_cast<double>(before) - step);
      const double below = static_cast<double>(x), f_below = value_at_points();
      x = before;
      const double numeric = (f_above - f_below) / (above - below), analytic = static_cast<double>(gradient[element]);
      require(std::isfinite(numeric) && std::isfinite(analytic),
              "gradient of element {} of input {} is not finite: analytic {}, numeric {}", element, input, analytic,
              numeric);
      const double error = std::abs(analytic - numeric) / std::max(1.0, std::abs(numeric));
      const Index compared = worst.compared + 1;
      if (error >= worst.error) worst = {error, input, element, analytic, numeric, compared};
      worst.compared = compared;
    }
  }
  return worst;
}

}  // namespace qisa
