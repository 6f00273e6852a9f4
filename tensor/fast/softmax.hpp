// Softmax of one row and its gradient: used by softmax, cross-entropy and attention.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/fast/exponential.hpp"
#include "tensor/fast/lanes.hpp"
#include "tensor/real.hpp"

namespace qisa {

/// y = softmax(x); returns log sum exp(x). The largest x is subtracted first, so nothing overflows.
inline Real softmax_row(const Real* x, Real* y, Index count) {
  Real largest = -std::numeric_limits<Real>::infinity();
#pragma omp simd reduction(max : largest)
  for (Index i = 0; i < count; ++i) largest = std::max(largest, x[i]);
  Real total = 0;
#pragma omp simd reduction(+ : total)
  for (Index i = 0; i < count; ++i) {
    y[i] = exponential(x[i] - largest);
    total += y[i];
  }
  const Real factor = 1 / total;
#pragma omp simd
  for (Index i = 0; i < count; ++i) y[i] *= factor;
  return largest + std::log(total);
}

/// y = softmax(y) for the first `count` >= 1 numbers of a row with room for whole lanes; the rest of these becomes 0.
inline void softmax_lanes(Real* y, Index count) {
  constexpr Real nothing = -std::numeric_limits<Real>::infinity();  // exp(nothing) = 0
  const Index last = whole_lanes(count - 1);
  const Lanes tail = first_lanes(lanes(y + last), count - last, nothing);
  Lanes greatest = tail;
  for (Index i = 0; i < last; i += lane_count) greatest = larger(lanes(y + i), greatest);
  const Real top = largest(greatest);
  Lanes powers = exponential(Lanes(tail - top)), totals = powers;
  for (Index i = 0; i < last; i += lane_count) {
    lanes(y + i) = exponential(Lanes(lanes(y + i) - top));
    totals += lanes(y + i);
  }
  const Real factor = 1 / sum(totals);
  for (Index i = 0; i < last; i += lane_count) lanes(y + i) *= factor;
  lanes(y + last) = powers * factor;
}

/// dx_i = y_i (g_i - sum_j g_j y_j) for y = softmax(x); dx may be g.
inline void softmax_row_backward(const Real* y, const Real* g, Real* dx, Index count) {
  Real inner = 0;
#pragma omp simd reduction(+ : inner)
  for (Index i = 0; i < count; ++i) inner += g[i] * y[i];
#pragma omp simd
  for (Index i = 0; i < count; ++i) dx[i] = y[i] * (g[i] - inner);
}

}  // namespace qisa
