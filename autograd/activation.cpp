#include "tensor/activation.hpp"

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"

namespace qisa {

Variable relu(const Variable& x) {
  Tensor y = map_elements(x.value(), [](Real v) { return relu(v); });
  return record("relu", y, {x}, [y](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("relu", g, y, [](Real d, Real v) { return v > 0 ? d : Real(0); }));
  });
}

Variable gelu(const Variable& x) {
  Tensor y = map_elements(x.value(), [](Real v) { return gelu(v); });
  return record("gelu", std::move(y), {x}, [vx = x.value()](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("gelu", g, vx, [](Real d, Real v) { return d * gelu_derivative(v); }));
  });
}

}  // namespace qisa
