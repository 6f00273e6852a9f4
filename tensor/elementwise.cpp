#include "tensor/elementwise.hpp"

#include <utility>

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

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  require(broadcast("sum_to", shape, x.shape()) == x.shape(), "shape {} does not broadcast to {}", shape, x.shape());
  Tensor result = Tensor::zeros(shape);
  const Strides strides = broadcast_strides(shape, x.shape());
  const int last = x.rank() - 1;
  const Index length = x.shape()[last];
  const bool repeated = strides[static_cast<std::size_t>(last)] == 0;
  for_each_row(x.shape(), strides, {}, [&](Index row, Index to, Index) {
    const Real* from = x.data() + row;
    Real* sums = result.data() + to;
    if (repeated) {
      Real total = 0;
#pragma omp simd reduction(+ : total)
      for (Index i = 0; i < length; ++i) total += from[i];
      *sums += total;
    } else {
#pragma omp simd
      for (Index i = 0; i < length; ++i) sums[i] += from[i];
    }
  });
  return result;
}

AxisView::AxisView(const Shape& shape, int axis) : size(shape[axis]) {
  for (int i = 0; i < shape.rank(); ++i) {
    if (i < shape.axis(axis)) outer *= shape[i];
    if (i > shape.axis(axis)) inner *= shape[i];
  }
}

Tensor sum(const Tensor& x, int axis) {
  const AxisView view(x.shape(), axis);
  Tensor result = Tensor::zeros({view.outer, view.inner});
  for (Index outer = 0; outer < view.outer; ++outer) {
    Real* to = result.data() + outer * view.inner;
    for (Index i = 0; i < view.size; ++i) {
      const Real* from = x.data() + (outer * view.size + i) * view.inner;
#pragma omp simd
      for (Index inner = 0; inner < view.inner; ++inner) to[inner] += from[inner];
    }
  }
  std::array<Index, Shape::max_rank> sizes{};
  std::size_t rank = 0;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != x.shape().axis(axis)) sizes[rank++] = x.shape()[i];
  }
  return result.reshape(Shape(std::span<const Index>(sizes.data(), rank)));
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
  const int first = std::min(x.shape().axis(axis_a), x.shape().axis(axis_b));
  const int second = std::max(x.shape().axis(axis_a), x.shape().axis(axis_b));
  Tensor result(x.shape().with(first, x.shape()[second]).with(second, x.shape()[first]));
  if (first == second) return x;
  if (x.size() == 0) return result;
  // Seen as [outer, size_a, between, size_b, inner], the result is [outer, size_b, between, size_a, inner].
  const AxisView a(x.shape(), first), b(x.shape(), second);
  const Index between = b.outer / (a.outer * a.size), inner = b.inner;
  for (Index outer = 0; outer < a.outer; ++outer) {
    for (Index i = 0; i < a.size; ++i) {
      for (Index m = 0; m < between; ++m) {
        for (Index j = 0; j < b.size; ++j) {
          const Real* from = x.data() + (((outer * a.size + i) * between + m) * b.size + j) * inner;
          Real* to = result.data() + (((outer * b.size + j) * between + m) * a.size + i) * inner;
          for (Index k = 0; k < inner; ++k) to[k] = from[k];
        }
      }
    }
  }
  return result;
}

}  // namespace qisa
