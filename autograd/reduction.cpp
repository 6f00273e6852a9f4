#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"

namespace qisa {
namespace {

/// y = `value`, the sum of x to the shape `kept` in another shape: every element of x gets the gradient of its sum.
Variable record_sum(const Variable& x, const Shape& kept, Tensor value) {
  return record("sum", std::move(value), {x}, [shape = x.shape(), kept](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, zip_elements("sum", g.reshape(kept), Tensor(shape), [](Real dy, Real) { return dy; }));
  });
}

}  // namespace

Variable sum(const Variable& x) {
  require_values("sum", x);
  return record_sum(x, {}, sum_to(x.value(), {}));
}

Variable sum(const Variable& x, int axis) {
  require_values("sum", x);
  return record_sum(x, x.shape().with(axis, 1), sum(x.value(), axis));
}

Variable mean(const Variable& x) {
  require_values("mean", x);
  require(x.value().size() > 0, "[mean] no elements in shape {}", x.shape());
  return scale(sum(x), Real(1) / static_cast<Real>(x.value().size()));
}

Variable mean(const Variable& x, int axis) {
  require_values("mean", x);
  require(x.shape()[axis] > 0, "[mean] axis {} of shape {} has no elements", axis, x.shape());
  return scale(sum(x, axis), Real(1) / static_cast<Real>(x.shape()[axis]));
}

}  // namespace qisa
