// Elementwise operations. In comments, g is the gradient of the output.
#include <cmath>

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/fast/exponential.hpp"

namespace qisa {

Variable add(const Variable& a, const Variable& b) {
  Tensor y = zip_elements("add", a.value(), b.value(), [](Real x, Real z) { return x + z; });
  return record("add", std::move(y), {a, b}, [sa = a.shape(), sb = b.shape()](const Tensor& g, InputGradients& inputs) {
    if (inputs.wanted(0)) inputs.add(0, sum_to(g, sa));
    if (inputs.wanted(1)) inputs.add(1, sum_to(g, sb));
  });
}

Variable subtract(const Variable& a, const Variable& b) {
  Tensor y = zip_elements("subtract", a.value(), b.value(), [](Real x, Real z) { return x - z; });
  return record("subtract", std::move(y), {a, b},
                [sa = a.shape(), sb = b.shape()](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) inputs.add(0, sum_to(g, sa));
                  if (inputs.wanted(1)) inputs.add(1, sum_to(map_elements(g, [](Real v) { return -v; }), sb));
                });
}

Variable multiply(const Variable& a, const Variable& b) {
  const auto product = [](Real x, Real z) { return x * z; };
  Tensor y = zip_elements("multiply", a.value(), b.value(), product);
  return record("multiply", std::move(y), {a, b},
                [va = a.value(), vb = b.value(), product](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) inputs.add(0, sum_to(zip_elements("multiply", g, vb, product), va.shape()));
                  if (inputs.wanted(1)) inputs.add(1, sum_to(zip_elements("multiply", g, va, product), vb.shape()));
                });
}

Variable divide(const Variable& a, const Variable& b) {
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
  const auto times_factor = [factor](Real v) { return factor * v; };
  return record(
      "scale", map_elements(x.value(), times_factor), {x},
      [times_factor](const Tensor& g, InputGradients& inputs) { inputs.add(0, map_elements(g, times_factor)); });
}

Variable exp(const Variable& x) {
  Tensor y = map_elements(x.value(), [](Real v) { return exponential(v); });
  return record("exp", y, {x}, [y](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("exp", g, y, [](Real d, Real e) { return d * e; }));
  });
}

Variable log(const Variable& x) {
  Tensor y = map_elements(x.value(), [](Real v) { return std::log(v); });
  return record("log", std::move(y), {x}, [vx = x.value()](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("log", g, vx, [](Real d, Real v) { return d / v; }));
  });
}

Variable sqrt(const Variable& x) {
  Tensor y = map_elements(x.value(), [](Real v) { return std::sqrt(v); });
  return record("sqrt", y, {x}, [y](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("sqrt", g, y, [](Real d, Real root) { return d / (2 * root); }));
  });
}

Variable sin(const Variable& x) {
  Tensor y = map_elements(x.value(), [](Real v) { return std::sin(v); });
  return record("sin", std::move(y), {x}, [vx = x.value()](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("sin", g, vx, [](Real d, Real v) { return d * std::cos(v); }));
  });
}

Variable cos(const Variable& x) {
  Tensor y = map_elements(x.value(), [](Real v) { return std::cos(v); });
  return record("cos", std::move(y), {x}, [vx = x.value()](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("cos", g, vx, [](Real d, Real v) { return -d * std::sin(v); }));
  });
}

Variable tanh(const Variable& x) {
  Tensor y = map_elements(x.value(), [](Real v) { return std::tanh(v); });
  return record("tanh", y, {x}, [y](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("tanh", g, y, [](Real d, Real t) { return d * (1 - t * t); }));
  });
}

}  // namespace qisa
