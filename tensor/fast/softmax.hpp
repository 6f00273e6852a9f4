// Softmax of one row and its gradient: used by softmax, cross-entropy and attention.
#pragma once

#include <cmath>
#include <limits>

#include "tensor/fast/exponential.hpp"
#include "tensor/fast/lanes.hpp"
#include "tensor/real.hpp"

namespace qisa {

/// What softmax_groups() leaves to its caller.
struct SoftmaxTail {
  Lanes weights;        // of the last group
  Real largest, total;  // log sum exp(x) = largest + log(total)
};

/// y = softmax(x) for rows of `last` numbers, whole groups of lanes, and the `tail` after them; y may be x. The largest
/// x is subtracted first, so nothing overflows.
[[gnu::always_inline]] inline SoftmaxTail softmax_groups(const Real* x, Real* y, Index last, const Lanes& tail) {
  Lanes greatest = tail;
  for (Index i = 0; i < last; i += lane_count) greatest = larger(lanes(x + i), greatest);
  const Real top = largest(greatest);
  const Lanes powers = exponential(tail - top);
  Lanes totals = powers;
  for (Index i = 0; i < last; i += lane_count) {
    lanes(y + i) = exponential(lanes(x + i) - top);
    totals += lanes(y + i);
  }
  const Real total = sum(totals), factor = 1 / total;
  for (Index i = 0; i < last; i += lane_count) lanes(y + i) *= factor;
  return {powers * factor, top, total};
}

inline constexpr Real no_weight = -std::numeric_limits<Real>::infinity();  // exp(no_weight) = 0

/// y = softmax(x) for `count` >= 1 numbers, y may be x; returns log sum exp(x).
inline Real softmax_row(const Real* x, Real* y, Index count) {
  const Index last = whole_lanes(count - 1), rest = count - last;
  const Lanes tail = first_lanes(load_lanes(x + last, rest), rest, no_weight);
  const SoftmaxTail end = softmax_groups(x, y, last, tail);
  store_lanes(y + last, end.weights, rest);
  return end.largest + std::log(end.total);
}

/// y = softmax(y) for the first `count` >= 1 numbers of a row with room for whole lanes; the rest of these becomes 0.
inline void softmax_lanes(Real* y, Index count) {
  const Index last = whole_lanes(count - 1);
  lanes(y + last) = softmax_groups(y, y, last, first_lanes(lanes(y + last), count - last, no_weight)).weights;
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
