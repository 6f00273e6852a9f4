#include "tensor/elementwise.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "tensor/fast/pool.hpp"

namespace qisa {

Strides broadcast_strides(const Shape& operand) {
  Strides strides;
  Index stride = 1;
  for (int axis = -1; axis >= -operand.rank(); --axis) {
    strides[axis] = operand[axis] == 1 ? 0 : stride;
    stride *= operand[axis];
  }
  return strides;
}

namespace {

/// The sum of numbers, a power of two, that lie `stride` apart: halves with halves.
template <Index count>
Real sum_of(const Real* numbers, Index stride) {
  if constexpr (count == 1) {
    return *numbers;
  } else {
    return sum_of<count / 2>(numbers, stride) + sum_of<count / 2>(numbers + count / 2 * stride, stride);
  }
}

/// Adds the sums of the first `rows` rows of a matrix with so many columns.
template <Index rows>
void add_rows(const Real* matrix, Index columns, double* totals) {
#pragma omp simd
  for (Index i = 0; i < columns; ++i) totals[i] += static_cast<double>(sum_of<rows>(matrix + i, columns));
}

/// The sums of the columns of a matrix [rows, columns]. Totals are doubles: a float stops growing at 2^24 times what
/// is added. Eight floats are added up before each.
void sum_columns(const Real* matrix, Index rows, Index columns, Real* sums) {
  if (columns == 1) {
    double total = 0;
#pragma omp simd reduction(+ : total)
    for (Index row = 0; row < rows; ++row) total += static_cast<double>(matrix[row]);
    *sums = static_cast<Real>(total);
    return;
  }
  std::vector<double, pool::Allocator<double>> totals(static_cast<std::size_t>(columns));
  Index row = 0;
  for (; row + 8 <= rows; row += 8) add_rows<8>(matrix + row * columns, columns, totals.data());
  for (; row < rows; ++row) add_rows<1>(matrix + row * columns, columns, totals.data());
  std::transform(totals.begin(), totals.end(), sums, [](double total) { return static_cast<Real>(total); });
}

}  // namespace

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require(broadcasts_to(shape, x.shape()), "shape {} does not broadcast to {}", shape, x.shape());
  if (x.size() == 0) return Tensor::zeros(shape);
  const Strides strides = broadcast_strides(shape);  // 0: sum over this axis
  Tensor result = x;
  Index outer = 1, inner = x.size();
  for (int axis = -x.rank(); axis < 0;) {
    // Neighbouring axes together: [outer, size, inner] -> [outer, inner].
    Index size = 1;
    for (; axis < 0 && strides[axis] == 0; ++axis) size *= x.shape()[axis];
    inner /= size;
    if (size > 1) {
      Tensor sums({outer, inner});
      Real* to = sums.data();
      const Real* from = std::as_const(result).data();
      for (Index i = 0; i < outer; ++i) sum_columns(from + i * size * inner, size, inner, to + i * inner);
      result = std::move(sums);
    }
    for (; axis < 0 && strides[axis] != 0; ++axis) {
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
  const int a = x.shape().axis(axis_a) - x.rank(), b = x.shape().axis(axis_b) - x.rank();
  Tensor y(x.shape().with(a, x.shape()[b]).with(b, x.shape()[a]));
  Strides strides = broadcast_strides(x.shape());
  std::swap(strides[a], strides[b]);
  const Real* from = x.data();
  Real* to = y.data();
  for_each_row(y.shape(), strides, {}, [&](Index length, Index row, Index first, Index) {
    for (Index i = 0; i < length; ++i) to[row + i] = from[first + i * strides[-1]];
  });
  return y;
}

}  // namespace qisa
