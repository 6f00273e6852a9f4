// Softmax, and cross-entropy fused with it.
#include "tensor/fast/softmax.hpp"

#include <cmath>
#include <vector>

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"

namespace qisa {

// y = softmax(x) has dx_i = y_i (g_i - sum_j g_j y_j).
Variable softmax(const Variable& x) {
  require_values("softmax", x);
  require(x.value().rank() >= 1, "[softmax] needs at least one axis");
  const Index width = x.shape()[-1], rows = width == 0 ? 0 : x.value().size() / width;
  Tensor y(x.shape());
  for (Index row = 0; row < rows; ++row) softmax_row(x.value().data() + row * width, y.data() + row * width, width);
  return record("softmax", y, {x}, [y, rows, width](const Tensor& g, InputGradients& inputs) {
    Tensor dx(y.shape());
    for (Index row = 0; row < rows; ++row) {
      softmax_row_backward(y.data() + row * width, g.data() + row * width, dx.data() + row * width, width);
    }
    inputs.add(0, std::move(dx));
  });
}

// With p = softmax(logits) of a row: loss = -log p[target], dlogits = p - onehot(target).
Variable cross_entropy(const Variable& logits, std::span<const std::int32_t> targets) {
  require_values("cross_entropy", logits);
  require(logits.value().rank() == 2 && logits.shape()[0] == static_cast<Index>(targets.size()) && !targets.empty(),
          "[cross_entropy] logits {} need as many targets as rows, and at least one; not {}", logits.shape(),
          targets.size());
  const Index rows = logits.shape()[0], classes = logits.shape()[1];
  Tensor p(logits.shape());
  double total = 0;
  for (Index row = 0; row < rows; ++row) {
    const std::int32_t target = targets[row];
    require(target >= 0 && target < classes, "[cross_entropy] target {} of row {} is not within {} classes", target,
            row, classes);
    const Real* x = logits.value().data() + row * classes;
    total += static_cast<double>(softmax_row(x, p.data() + row * classes, classes) - x[target]);
  }
  return record("cross_entropy", Tensor::scalar(static_cast<Real>(total / static_cast<double>(rows))), {logits},
                [p, used = std::vector<std::int32_t, pool::Allocator<std::int32_t>>(targets.begin(), targets.end()),
                 classes](const Tensor& g, InputGradients& inputs) {
                  const Real share = g.item() / static_cast<Real>(used.size());
                  Tensor dx = map_elements(p, [share](Real probability) { return share * probability; });
                  Real* row = dx.data();
                  for (const std::int32_t target : used) {
                    row[target] -= share;
                    row += classes;
                  }
                  inputs.add(0, std::move(dx));
                });
}

}  // namespace qisa
