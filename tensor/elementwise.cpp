#include "tensor/elementwise.hpp"

#include <utility>
#include <vector>

#include "tensor/fast/pool.hpp"

namespace qisa {

Strides broadcast_strides(const Shape& operand, const Shape& result) {
  Strides strides{};
  Index stride = 1;
  for (int axis = 1; axis <= operand.rank(); ++axis) {  // from the last axis to the first
    strides[static_cast<std::size_t>(result.rank() - axis)] = operand[-axis] == 1 ? 0 : stride;
    stride *= operand[-axis];
  }
  return strides;
}

namespace {

/// The sums of the columns of a matrix [rows, columns]. Totals are doubles: a float stops growing at 2^24 times what
/// is added. Four floats are added up before each.
void sum_columns(const Real* matrix, Index rows, Index columns, Real* sums) {
  if (columns == 1) {
    double total = 0;
#pragma omp simd reduction(+ : total)
    for (Index row = 0; row < rows; ++row) total += static_cast<double>(matrix[row]);
    *sums = static_cast<Real>(total);
    return;
  }
  std::vector<double, pool::Allocator<double>> totals(static_cast<std::size_t>(columns));
  double* total = totals.data();
  Index row = 0;
  for (; row + 4 <= rows; row += 4) {
    const Real *a = matrix + row * columns, *b = a + columns, *c = b + columns, *d = c + columns;
#pragma omp simd
    for (Index i = 0; i < columns; ++i) total[i] += static_cast<double>((a[i] + b[i]) + (c[i] + d[i]));
  }
  for (; row < rows; ++row) {
    for (Index i = 0; i < columns; ++i) total[i] += static_cast<double>(matrix[row * columns + i]);
  }
  for (Index i = 0; i < columns; ++i) sums[i] = static_cast<Real>(total[i]);
}

}  // namespace

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require(broadcast("sum_to", shape, x.shape()) == x.shape(), "shape {} does not broadcast to {}", shape, x.shape());
  if (x.size() == 0) return Tensor::zeros(shape);
  const Strides strides = broadcast_strides(shape, x.shape());  // 0: sum over this axis
  Tensor result = x;
  Index outer = 1, inner = x.size();
  for (int axis = 0; axis < x.rank();) {
    // Neighbouring axes together: [outer, size, inner] -> [outer, inner].
    Index size = 1;
    for (; axis < x.rank() && strides[static_cast<std::size_t>(axis)] == 0; ++axis) size *= x.shape()[axis];
    inner /= size;
    if (size > 1) {
      Tensor sums({outer, inner});
      Real* to = sums.data();
      const Real* from = std::as_const(result).data();
      for (Index i = 0; i < outer; ++i) sum_columns(from + i * size * inner, size, inner, to + i * inner);
      result = std::move(sums);
    }
    for (; axis < x.rank() && strides[static_cast<std::size_t>(axis)] != 0; ++axis) {
      outer *= x.shape()[axis];
      inner /= x.shape()[axis];
    }
  }
  return result.reshape(shape);
}

Tensor sum(const Tensor& x, int axis) {
  const int dropped = x.shape().axis(axis);
  std::vector<Index> sizes(x.shape().begin(), x.shape().end());
  sizes.erase(sizes.begin() + dropped);
  return sum_to(x, x.shape().with(dropped, 1)).reshape(Shape(std::span<const Index>(sizes)));
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
  const int a = x.shape().axis(axis_a), b = x.shape().axis(axis_b), last = x.rank() - 1;
  Tensor y(x.shape().with(a, x.shape()[b]).with(b, x.shape()[a]));
  Strides strides = broadcast_strides(x.shape(), x.shape());
  std::swap(strides[static_cast<std::size_t>(a)], strides[static_cast<std::size_t>(b)]);
  const Index length = y.shape()[last], step = strides[static_cast<std::size_t>(last)];
  const Real* from = x.data();
  Real* to = y.data();
  for_each_row(y.shape(), strides, {}, [&](Index row, Index first, Index) {
    for (Index i = 0; i < length; ++i) to[row + i] = from[first + i * step];
  });
  return y;
}

}  // namespace qisa
