#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"

namespace qisa {

Variable dropout(const Variable& x, Real dropped, DropoutStream& stream) {
  check(dropped >= 0 && dropped < 1, "[dropout] the probability must be at least 0 and less than 1, not {}", dropped);
  if (dropped == 0) return x;
  Tensor mask(x.shape());
  stream.fill(mask.data(), mask.size(), dropped);
  const auto product = [](Real a, Real b) { return a * b; };
  return record(
      "dropout", zip("dropout", x.value(), mask, product), {x},
      [mask, product](const Tensor& g, InputGradients& inputs) { inputs.add(0, zip("dropout", g, mask, product)); });
}

}  // namespace qisa
