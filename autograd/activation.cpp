// Activation functions. As in every file of operations, a function computes its value, and records how to come back:
// given g = dL/dy, the gradient of a loss L by the output y, it adds dx = dL/dx to the gradient of input 0.
#include "tensor/fast/activation.hpp"

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"

namespace qisa {

// y = max(x, 0): dx = g where y > 0, otherwise 0. y is kept for that, not x, which may be freed sooner.
Variable relu(const Variable& x) {
  require_values("relu", x);
  Tensor y = map_elements(x.value(), [](Real v) { return relu(v); });
  return record("relu", y, {x}, [y](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("relu", g, y, [](Real dy, Real v) { return v > 0 ? dy : Real(0); }));
  });
}

// dx = g gelu'(x).
Variable gelu(const Variable& x) {
  require_values("gelu", x);
  Tensor y = map_elements(x.value(), [](Real v) { return gelu(v); });
  return record("gelu", std::move(y), {x}, [vx = x.value()](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("gelu", g, vx, [](Real dy, Real v) { return dy * gelu_derivative(v); }));
  });
}

}  // namespace qisa
