// Gradients against finite differences.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "autograd/variable.hpp"

namespace qisa {

/// The largest disagreement that check_gradients found.
struct GradientCheck {
  double error = 0;       // |analytic - numeric| / max(1, |numeric|)
  std::size_t input = 0;  // which input
  Index element = 0;      // which element of it
  double analytic = 0, numeric = 0;
  Index compared = 0;  // how many elements were compared
};

/// Compares backward() with central differences, (f(x + step) - f(x - step)) / (2 step), for every
/// element of every input of `function`. Outputs of any shape are reduced to one number by fixed
/// weights that differ from element to element, so that no gradient cancels.
/// Throws when an output or gradient is not finite. Meant for Real = double, where step 1e-6 leaves an
/// error of about 1e-9.
GradientCheck check_gradients(const std::function<Variable(std::span<const Variable>)>& function,
                              std::span<const Tensor> inputs, double step = 1e-6);

}  // namespace qisa
