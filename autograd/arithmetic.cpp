// Elementwise arithmetic and functions. g is the gradient of the output (see activation.cpp).
#include <cmath>

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/fast/exponential.hpp"

namespace qisa {

Variable add(const Variable& a, const Variable& b) {
  require_values("add", a, b);
  Tensor y = zip_elements("add", a.value(), b.value(), [](Real x, Real z) { return x + z; });
  return record("add", std::move(y), {a, b}, [sa = a.shape(), sb = b.shape()](const Tensor& g, InputGradients& inputs) {
    if (inputs.wanted(0)) inputs.add(0, sum_to(g, sa));
    if (inputs.wanted(1)) inputs.add(1, sum_to(g, sb));
  });
}

Variable subtract(const Variable& a, const Variable& b) {
  require_values("subtract", a, b);
  Tensor y = zip_elements("subtract", a.value(), b.value(), [](Real x, Real z) { return x - z; });
  return record("subtract", std::move(y), {a, b},
                [sa = a.shape(), sb = b.shape()](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) inputs.add(0, sum_to(g, sa));
                  if (inputs.wanted(1)) inputs.add(1, sum_to(map_elements(g, [](Real v) { return -v; }), sb));
                });
}

Variable multiply(const Variable& a, const Variable& b) {
  require_values("multiply", a, b);
  const auto product = [](Real x, Real z) { return x * z; };
  Tensor y = zip_elements("multiply", a.value(), b.value(), product);
  return record("multiply", std::move(y), {a, b},
                [va = a.value(), vb = b.value(), product](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) inputs.add(0, sum_to(zip_elements("multiply", g, vb, product), va.shape()));
                  if (inputs.wanted(1)) inputs.add(1, sum_to(zip_elements("multiply", g, va, product), vb.shape()));
                });
}

Variable divide(const Variable& a, const Variable& b) {
  require_values("divide", a, b);
  const auto quotient = [](Real x, Real z) { return x / z; };
  Tensor y = zip_elements("divide", a.value(), b.value(), quotient);
  return record(
      "divide", y, {a, b}, [y, sa = a.shape(), vb = b.value(), quotient](const Tensor& g, InputGradients& inputs) {
        const Tensor da = zip_elements("divide", g, vb, quotient);  // d(a/b)/da = 1/b, d(a/b)/db = -y/b
        if (inputs.wanted(0)) inputs.add(0, sum_to(da, sa));
        if (inputs.wanted(1)) {
          inputs.add(1, sum_to(zip_elements("divide", da, y, [](Real x, Real z) { return -x * z; }), vb.shape()));
        }
      });
}

Variable scale(const Variable& x, Real factor) {
  require_values("scale", x);
  const auto times_factor = [factor](Real v) { return factor * v; };
  return record(
      "scale", map_elements(x.value(), times_factor), {x},
      [times_factor](const Tensor& g, InputGradients& inputs) { inputs.add(0, map_elements(g, times_factor)); });
}

namespace {

/// y = f(x), with dx = derivative(g, x).
template <class Function, class Derivative>
Variable from_input(const char* operation, const Variable& x, Function f, Derivative derivative) {
  require_values(operation, x);
  return record(operation, map_elements(x.value(), f), {x},
                [vx = x.value(), operation, derivative](const Tensor& g, InputGradients& inputs) {
                  inputs.add(0, zip_elements(operation, g, vx, derivative));
                });
}

/// y = f(x), with dx = derivative(g, y).
template <class Function, class Derivative>
Variable from_output(const char* operation, const Variable& x, Function f, Derivative derivative) {
  require_values(operation, x);
  Tensor y = map_elements(x.value(), f);
  return record(operation, y, {x}, [y, operation, derivative](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements(operation, g, y, derivative));
  });
}

}  // namespace

Variable exp(const Variable& x) {
  return from_output(
      "exp", x, [](Real v) { return exponential(v); }, [](Real g, Real y) { return g * y; });
}

Variable log(const Variable& x) {
  return from_input(
      "log", x, [](Real v) { return std::log(v); }, [](Real g, Real v) { return g / v; });
}

Variable sqrt(const Variable& x) {
  return from_output(
      "sqrt", x, [](Real v) { return std::sqrt(v); }, [](Real g, Real y) { return g / (2 * y); });
}

Variable sin(const Variable& x) {
  return from_input(
      "sin", x, [](Real v) { return std::sin(v); }, [](Real g, Real v) { return g * std::cos(v); });
}

Variable cos(const Variable& x) {
  return from_input(
      "cos", x, [](Real v) { return std::cos(v); }, [](Real g, Real v) { return -g * std::sin(v); });
}

Variable tanh(const Variable& x) {
  return from_output(
      "tanh", x, [](Real v) { return std::tanh(v); }, [](Real g, Real y) { return g * (1 - y * y); });
}

}  // namespace qisa
