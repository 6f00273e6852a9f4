#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"

namespace qisa {

Variable sum(const Variable& x) {
  return record("sum", sum_to(x.value(), {}), {x}, [shape = x.shape()](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, Tensor::full(shape, g.item()));
  });
}

Variable sum(const Variable& x, int axis) {
  return record("sum", sum(x.value(), axis), {x}, [shape = x.shape(), axis](const Tensor& g, InputGradients& inputs) {
    // Every element of the axis gets the gradient of its sum: a broadcast over that axis.
    const Tensor column = g.reshape(shape.with(axis, 1));
    inputs.add(0, zip_elements("sum", column, Tensor::zeros(shape), [](Real d, Real) { return d; }));
  });
}

Variable mean(const Variable& x) {
  require(x.value().size() > 0, "[mean] no elements in shape {}", x.shape());
  return scale(sum(x), Real(1) / static_cast<Real>(x.value().size()));
}

Variable mean(const Variable& x, int axis) {
  require(x.shape()[axis] > 0, "[mean] axis {} of shape {} has no elements", axis, x.shape());
  return scale(sum(x, axis), Real(1) / static_cast<Real>(x.shape()[axis]));
}

}  // namespace qisa
