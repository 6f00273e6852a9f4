#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/exponential.hpp"

namespace qisa {

Variable relu(const Variable& x) {
  Tensor y = map(x.value(), [](Real v) { return v < 0 ? Real(0) : v; });
  return record("relu", y, {x}, [y](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip("relu", g, y, [](Real d, Real v) { return v > 0 ? d : Real(0); }));
  });
}

// With u = sqrt(2/pi) (x + 0.044715 x^3): 1/2 (1 + tanh u) = 1 / (1 + exp(-2u)) =: s, so y = x s and
// dy/dx = s + x s (1 - s) 2 du/dx.
Variable gelu(const Variable& x) {
  constexpr Real a = Real(0.7978845608028654), b = Real(0.044715);  // sqrt(2/pi), GPT-1's coefficient
  const auto gate = [](Real v) { return 1 / (1 + exponential(-2 * a * (v + b * v * v * v))); };
  Tensor y = map(x.value(), [gate](Real v) { return v * gate(v); });
  return record("gelu", std::move(y), {x}, [vx = x.value(), gate](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip("gelu", g, vx, [gate](Real d, Real v) {
                 const Real s = gate(v);
                 return d * (s + v * s * (1 - s) * 2 * a * (1 + 3 * b * v * v));
               }));
  });
}

}  // namespace qisa
