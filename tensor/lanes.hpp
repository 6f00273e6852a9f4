// Sixteen numbers as one value, for kernels in which that is faster than a loop over sixteen numbers.
//
// It is the compilers' vector type (GCC and Clang), cut into vectors of whatever width the processor
// has. Arithmetic works on all lanes at once. Sums over many rows stay in registers, where loops over
// arrays would go through memory. Products of matrices in lanes: lane_product.hpp.
#pragma once

#include <cmath>
#include <type_traits>

#include "tensor/real.hpp"

namespace qisa {

inline constexpr Index lane_count = 16;

using Lanes __attribute__((vector_size(lane_count * sizeof(Real)), aligned(alignof(Real)), may_alias)) = Real;

/// The sixteen numbers at `numbers`, to read or to write.
inline Lanes& lanes(Real* numbers) { return *reinterpret_cast<Lanes*>(numbers); }
inline const Lanes& lanes(const Real* numbers) { return *reinterpret_cast<const Lanes*>(numbers); }

/// Sum over the lanes: halves are added to halves.
inline Real sum(const Lanes& v) {
  const auto half = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto quarter =
      __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
  return (quarter[0] + quarter[1]) + (quarter[2] + quarter[3]);
}

/// The largest lane.
inline Real largest(const Lanes& v) {
  const auto half_a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
             half_b = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto half = half_a > half_b ? half_a : half_b;
  const auto quarter_a = __builtin_shufflevector(half, half, 0, 1, 2, 3),
             quarter_b = __builtin_shufflevector(half, half, 4, 5, 6, 7);
  const auto quarter = quarter_a > quarter_b ? quarter_a : quarter_b;
  const Real a = quarter[0] > quarter[1] ? quarter[0] : quarter[1],
             b = quarter[2] > quarter[3] ? quarter[2] : quarter[3];
  return a > b ? a : b;
}

/// 1 / sqrt(v), or 0 where v is 0.
inline Lanes inverse_root(const Lanes& v) {
  Real numbers[lane_count];
  lanes(numbers) = v;
#pragma omp simd
  for (Real& x : numbers) x = x == 0 ? Real(0) : 1 / std::sqrt(x);
  return lanes(numbers);
}

/// The first `count` lanes of v; `other` in the lanes after them.
inline Lanes first_lanes(const Lanes& v, Index count, Real other) {
  using Integer = std::conditional_t<sizeof(Real) == 4, std::int32_t, std::int64_t>;
  using Integers __attribute__((vector_size(lane_count * sizeof(Integer)))) = Integer;
  constexpr Integers numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return numbers < static_cast<Integer>(count) ? v : Lanes{} + other;
}

/// The part of a row that is whole groups of lanes: what remains needs a loop.
inline Index whole_lanes(Index count) { return count - count % lane_count; }

/// `count` rounded up to whole groups of lanes.
inline Index padded_to_lanes(Index count) { return whole_lanes(count + lane_count - 1); }

}  // namespace qisa
