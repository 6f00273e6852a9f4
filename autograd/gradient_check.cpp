#include "autograd/gradient_check.hpp"

#include <cmath>
#include <functional>
#include <numeric>

#include "autograd/backward.hpp"
#include "tensor/random.hpp"

namespace qisa {

GradientCheck check_gradients(const std::function<Variable(std::span<const Variable>)>& function,
                              std::span<const Tensor> inputs, double step) {
  std::vector<Tensor> points;  // copies, so that elements can be moved
  std::vector<Variable> leaves;
  for (const Tensor& input : inputs) {
    points.push_back(input.clone());
    leaves.push_back(Variable::leaf(input.clone()));
  }
  const Variable output = function(leaves);
  Random random(1, Purpose::tests);
  Tensor weights(output.shape());
  for (Real& weight : weights.values()) weight = static_cast<Real>(random.uniform(0.5, 1.5));
  backward(output, weights);

  const auto weighted_sum = [&] {
    const NoGradient no_gradient;
    const Tensor value = function(std::vector<Variable>(points.begin(), points.end())).value();
    const auto product = [](double x, double w) { return x * w; };
    return std::transform_reduce(value.values().begin(), value.values().end(), weights.data(), 0.0, std::plus(),
                                 product);
  };
  GradientCheck worst;
  for (std::size_t input = 0; input < points.size(); ++input) {
    const Tensor gradient = leaves[input].gradient();
    for (Index element = 0; element < points[input].size(); ++element) {
      Real& x = points[input][element];
      const Real before = x;
      x = static_cast<Real>(static_cast<double>(before) + step);
      const double above = static_cast<double>(x), f_above = weighted_sum();
      x = static_cast<Real>(static_cast<double>(before) - step);
      const double below = static_cast<double>(x), f_below = weighted_sum();
      x = before;
      const double numeric = (f_above - f_below) / (above - below), analytic = static_cast<double>(gradient[element]);
      require(std::isfinite(numeric) && std::isfinite(analytic),
              "gradient of element {} of input {} is not finite: analytic {}, numeric {}", element, input, analytic,
              numeric);
      const double error = std::abs(analytic - numeric) / std::max(1.0, std::abs(numeric));
      if (error >= worst.error) worst = {error, input, element, analytic, numeric, worst.compared};
      ++worst.compared;
    }
  }
  return worst;
}

}  // namespace qisa
