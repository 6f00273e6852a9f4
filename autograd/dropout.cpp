// Dropout, alone and on the way into a residual sum. (Srivastava et al. 2014.)
#include "autograd/operations.hpp"
#include "tensor/fast/dropout_mask.hpp"

namespace qisa {
namespace {

void check_probability(const char* operation, Real dropped) {
  require(dropped >= 0 && dropped < 1, "[{}] the probability must be at least 0 and less than 1, not {}", operation,
          dropped);
}

Tensor masked(const DropoutMask& mask, const Tensor& x) {
  Tensor y(x.shape());
  mask.multiply(x.data(), y.data());
  return y;
}

}  // namespace

// y = m x, with a mask m of zeros and 1 / (1 - dropped).
Variable dropout(const Variable& x, Real dropped, DropoutStream& stream) {
  require_values("dropout", x);
  check_probability("dropout", dropped);
  if (dropped == 0) return x;
  DropoutMask mask(stream, x.value().size(), dropped);
  Tensor y = masked(mask, x.value());
  return record("dropout", std::move(y), {x},
                [mask = std::move(mask)](const Tensor& g, InputGradients& inputs) { inputs.add(0, masked(mask, g)); });
}

// y = a + m b in one pass over memory.
Variable add_dropout(const Variable& a, const Variable& b, Real dropped, DropoutStream& stream) {
  require_values("add_dropout", a, b);
  check_probability("add_dropout", dropped);
  require(a.shape() == b.shape(), "[add_dropout] a {} and b {} differ in shape", a.shape(), b.shape());
  if (dropped == 0) return a + b;
  DropoutMask mask(stream, b.value().size(), dropped);
  Tensor y(a.shape());
  mask.multiply(b.value().data(), y.data(), a.value().data());
  return record("add_dropout", std::move(y), {a, b}, [mask = std::move(mask)](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, g);
    if (inputs.wanted(1)) inputs.add(1, masked(mask, g));
  });
}

}  // namespace qisa
