// Elementwise arithmetic and functions. As in every file of operations, a function computes its value, and records how
// to come back: given g = dL/dy, the gradient of a loss L by the output y, it adds dx = dL/dx to the gradient of input
// x.
#include <cmath>
#include <functional>

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/fast/activation.hpp"

namespace qisa {
namespace {

enum class Kept { input, output };

/// y = f(x), with dx = derivative(g, x), or derivative(g, y): of what is kept.
template <class Function, class Derivative>
Variable elementwise(const char* operation, const Variable& x, Kept which, Function f, Derivative derivative) {
  require_values(operation, x);
  Tensor y = map_elements(x.value(), f);
  const Tensor& kept = which == Kept::input ? x.value() : y;
  return record(operation, y, {x}, [kept, operation, derivative](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements(operation, g, kept, derivative));
  });
}

/// y = f(a, b), broadcast, with the function that turns g into the inputs' gradients.
template <class Function, class Backward>
Variable elementwise(const char* operation, const Variable& a, const Variable& b, Function f, Backward backward) {
  require_values(operation, a, b);
  return record(operation, zip_elements(operation, a.value(), b.value(), f), {a, b}, std::move(backward));
}

}  // namespace

Variable add(const Variable& a, const Variable& b) {
  return elementwise("add", a, b, std::plus(), [](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, g);
    inputs.add(1, g);
  });
}

Variable subtract(const Variable& a, const Variable& b) {
  return elementwise("subtract", a, b, std::minus(), [](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, g);
    if (inputs.wanted(1)) inputs.add(1, map_elements(g, std::negate()));
  });
}

Variable multiply(const Variable& a, const Variable& b) {
  return elementwise("multiply", a, b, std::multiplies(),
                     [va = a.value(), vb = b.value()](const Tensor& g, InputGradients& inputs) {
                       if (inputs.wanted(0)) inputs.add(0, zip_elements("multiply", g, vb, std::multiplies()));
                       if (inputs.wanted(1)) inputs.add(1, zip_elements("multiply", g, va, std::multiplies()));
                     });
}

// da = g / b, db = -g a / b^2 = -(g / b) (a / b).
Variable divide(const Variable& a, const Variable& b) {
  return elementwise("divide", a, b, std::divides(),
                     [va = a.value(), vb = b.value()](const Tensor& g, InputGradients& inputs) {
                       const Tensor da = zip_elements("divide", g, vb, std::divides());
                       inputs.add(0, da);
                       if (!inputs.wanted(1)) return;
                       const Tensor y = zip_elements("divide", va, vb, std::divides());
                       inputs.add(1, zip_elements("divide", da, y, [](Real x, Real z) { return -x * z; }));
                     });
}

Variable scale(const Variable& x, Real factor) {
  require_values("scale", x);
  const auto times_factor = [factor](Real v) { return factor * v; };
  return record(
      "scale", map_elements(x.value(), times_factor), {x},
      [times_factor](const Tensor& g, InputGradients& inputs) { inputs.add(0, map_elements(g, times_factor)); });
}

Variable exp(const Variable& x) {
  return elementwise(
      "exp", x, Kept::output, [](Real v) { return exponential(v); }, [](Real g, Real y) { return g * y; });
}

Variable log(const Variable& x) {
  return elementwise(
      "log", x, Kept::input, [](Real v) { return std::log(v); }, [](Real g, Real v) { return g / v; });
}

Variable sqrt(const Variable& x) {
  return elementwise(
      "sqrt", x, Kept::output, [](Real v) { return std::sqrt(v); }, [](Real g, Real y) { return g / (2 * y); });
}

Variable sin(const Variable& x) {
  return elementwise(
      "sin", x, Kept::input, [](Real v) { return std::sin(v); }, [](Real g, Real v) { return g * std::cos(v); });
}

Variable cos(const Variable& x) {
  return elementwise(
      "cos", x, Kept::input, [](Real v) { return std::cos(v); }, [](Real g, Real v) { return -g * std::sin(v); });
}

Variable tanh(const Variable& x) {
  return elementwise(
      "tanh", x, Kept::output, [](Real v) { return std::tanh(v); }, [](Real g, Real y) { return g * (1 - y * y); });
}

Variable relu(const Variable& x) {
  return elementwise(
      "relu", x, Kept::output, [](Real v) { return relu(v); }, [](Real g, Real y) { return y > 0 ? g : Real(0); });
}

Variable gelu(const Variable& x) {
  return elementwise(
      "gelu", x, Kept::input, [](Real v) { return gelu(v); }, [](Real g, Real v) { return g * gelu_derivative(v); });
}

}  // namespace qisa
