// Transposing four numbers of sixteen rows, from memory into registers.
#pragma once

#include "tensor/lanes.hpp"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace qisa {
namespace four {

#if defined(__AVX512F__) && !defined(QISA_DOUBLE)

/// Four numbers of four rows, one row after the other. Reading into a quarter is work that two units of the processor
/// share; what GCC 12 makes of the other version moves quarters between registers, which only one can do. A square
/// of 16 x 16 takes 18 to 21 ns so, 27 to 33 that way.
inline Lanes quarters(const float* rows, Index stride) {
  __m512 result = _mm512_castps128_ps512(_mm_loadu_ps(rows));
  result = _mm512_insertf32x4(result, _mm_loadu_ps(rows + stride), 1);
  result = _mm512_insertf32x4(result, _mm_loadu_ps(rows + 2 * stride), 2);
  result = _mm512_insertf32x4(result, _mm_loadu_ps(rows + 3 * stride), 3);
  return result;
}

#else

/// Four numbers of four rows, one row after the other.
inline Lanes quarters(const Real* rows, Index stride) {
  using Quarter __attribute__((vector_size(4 * sizeof(Real)), aligned(alignof(Real)), may_alias)) = Real;
  const auto at = [&](Index row) -> const Quarter& { return *reinterpret_cast<const Quarter*>(rows + row * stride); };
  const auto first = __builtin_shufflevector(at(0), at(1), 0, 1, 2, 3, 4, 5, 6, 7);
  const auto second = __builtin_shufflevector(at(2), at(3), 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(first, second, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

#endif

// In each quarter, with a0 a1 a2 a3 and b0 b1 b2 b3: a0 b0 a1 b1, and a2 b2 a3 b3; a0 a1 b0 b1, and a2 a3 b2 b3.
inline Lanes deal_low(const Lanes& a, const Lanes& b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
}
inline Lanes deal_high(const Lanes& a, const Lanes& b) {
  return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}
inline Lanes low_halves(const Lanes& a, const Lanes& b) {
  return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
}
inline Lanes high_halves(const Lanes& a, const Lanes& b) {
  return __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}

}  // namespace four

/// store(k, number k of sixteen rows, `stride` apart) for k < 4.
///
/// Reading puts quarters side by side: part i has those of rows i, i + 4, i + 8 and i + 12. So the four parts hold
/// four squares of 4 x 4, one in each quarter, and transposing those moves no number to another quarter, which
/// processors do fastest.
template <class Store>
[[gnu::always_inline]] inline void transpose_four(const Real* rows, Index stride, Store store) {
  using namespace four;
  Lanes part[4];
  for (Index i = 0; i < 4; ++i) part[i] = quarters(rows + i * stride, 4 * stride);
  const Lanes a = deal_low(part[0], part[1]), b = deal_low(part[2], part[3]);
  const Lanes c = deal_high(part[0], part[1]), d = deal_high(part[2], part[3]);
  store(0, low_halves(a, b));
  store(1, high_halves(a, b));
  store(2, low_halves(c, d));
  store(3, high_halves(c, d));
}

}  // namespace qisa
