// Elementwise arithmetic on tensors, with NumPy's broadcasting.
#pragma once

#include <array>

#include "tensor/tensor.hpp"

namespace qisa {

/// f applied to each element.
template <class Function>
Tensor map_elements(const Tensor& x, Function f) {
  Tensor y(x.shape());
  const Real* from = x.data();
  Real* to = y.data();
  const Index count = x.size();
#pragma omp simd
  for (Index i = 0; i < count; ++i) to[i] = f(from[i]);
  return y;
}

/// Distances in memory between neighbours along each axis, which counts from the end: -1 is the last.
struct Strides {
  std::array<Index, Shape::max_rank> distances{};

  Index& operator[](int axis) { return distances[Shape::max_rank + axis]; }
  Index operator[](int axis) const { return distances[Shape::max_rank + axis]; }
};
/// Those of an operand of any shape that it is broadcast to: 0 along axes that it has not or that have size 1.
Strides broadcast_strides(const Shape& operand);

/// Calls visit(length, result, a, b) with the offsets at which each row begins: a row is a run along the last
/// axis of `result`.
template <class Visit>
void for_each_row(const Shape& result, const Strides& a, const Strides& b, Visit visit) {
  const Index length = result.rank() == 0 ? 1 : result[-1];
  Strides position;
  Index offset_a = 0, offset_b = 0;
  for (Index offset = 0, size = result.size(); offset < size; offset += length) {
    visit(length, offset, offset_a, offset_b);
    for (int axis = -2; axis >= -result.rank(); --axis) {  // count up, like an odometer
      offset_a += a[axis];
      offset_b += b[axis];
      if (++position[axis] < result[axis]) break;
      offset_a -= a[axis] * result[axis];
      offset_b -= b[axis] * result[axis];
      position[axis] = 0;
    }
  }
}

/// f(a, b) for each pair of elements, broadcast. `operation` names the caller in errors.
template <class Function>
Tensor zip_elements(const char* operation, const Tensor& a, const Tensor& b, Function f) {
  const Shape shape = broadcast(operation, a.shape(), b.shape());
  Tensor result(shape);
  const Real *from_a = a.data(), *from_b = b.data();
  Real* to = result.data();
  if (a.shape() == b.shape()) {
    const Index count = result.size();
#pragma omp simd
    for (Index i = 0; i < count; ++i) to[i] = f(from_a[i], from_b[i]);
    return result;
  }
  const Strides strides_a = broadcast_strides(a.shape()), strides_b = broadcast_strides(b.shape());
  const Index step_a = strides_a[-1], step_b = strides_b[-1];
  for_each_row(shape, strides_a, strides_b, [&](Index length, Index row, Index row_a, Index row_b) {
#pragma omp simd
    for (Index i = 0; i < length; ++i) to[row + i] = f(from_a[row_a + i * step_a], from_b[row_b + i * step_b]);
  });
  return result;
}

/// Sums `x` over the axes along which `shape` was broadcast to x.shape(): the gradient of broadcasting. Within 1e-6 of
/// its terms' magnitude, however many they are.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// Sum over one axis, which is dropped.
Tensor sum(const Tensor& x, int axis);

/// `x` with two axes exchanged.
Tensor transpose(const Tensor& x, int axis_a, int axis_b);

}  // namespace qisa
