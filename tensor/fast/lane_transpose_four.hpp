// Transposing four numbers of sixteen rows, from memory into registers.
#pragma once

#include <utility>

#include "tensor/fast/lanes.hpp"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace qisa {
namespace four {

/// The numbers of a vector.
using Numbers = std::make_integer_sequence<int, static_cast<int>(vector_count)>;

#if defined(__AVX512F__) && !defined(QISA_DOUBLE)

/// Four numbers of four rows, one row after the other. Reading into a quarter is work that two units of the processor
/// share; what GCC 12 makes of the other version moves quarters between registers, which only one can do. A square
/// of 16 x 16 takes 18 to 21 ns so, 27 to 33 that way.
inline Lanes quarters(const float* rows, Index stride) {
  __m512 joined = _mm512_castps128_ps512(_mm_loadu_ps(rows));
  joined = _mm512_insertf32x4(joined, _mm_loadu_ps(rows + stride), 1);
  joined = _mm512_insertf32x4(joined, _mm_loadu_ps(rows + 2 * stride), 2);
  joined = _mm512_insertf32x4(joined, _mm_loadu_ps(rows + 3 * stride), 3);
  return joined;
}

#else

/// Four numbers of four rows, one row after the other.
inline Lanes quarters(const Real* rows, Index stride) {
  using Quarter __attribute__((vector_size(4 * sizeof(Real)), aligned(alignof(Real)), may_alias)) = Real;
  const auto at = [&](Index row) -> const Quarter& { return *reinterpret_cast<const Quarter*>(rows + row * stride); };
  const auto joined = []<int... i>(const Quarter& a, const Quarter& b, std::integer_sequence<int, i...>) {
    return __builtin_shufflevector(a, b, i...);
  };
  constexpr Index each = vector_count / 4;  // quarters of a vector: one or two
  Lanes result;
  for (Index row = 0; row < 4; row += each) {
    result.vectors[row / each] = joined(at(row), at(row + each - 1), Numbers());
  }
  return result;
}

#endif

/// The lane from which number i comes, of the lanes of two vectors one after the other, if each quarter is made of the
/// numbers `from` of eight: the same quarters of both.
template <int... from>
constexpr int source(int i) {
  constexpr int of_eight[] = {from...};
  const int number = of_eight[i % 4];
  return i / 4 * 4 + number % 4 + (number < 4 ? 0 : static_cast<int>(vector_count));
}

/// Each quarter is made of the numbers `from` of the same quarters of a and b: 0 to 3 are those of a, 4 to 7 of b.
template <int... from>
inline Lanes within_quarters(const Lanes& a, const Lanes& b) {
  const auto shuffle = []<int... i>(const Vector& u, const Vector& v, std::integer_sequence<int, i...>) {
    return __builtin_shufflevector(u, v, source<from...>(i)...);
  };
  return each_vector([&](const Vector& u, const Vector& v) { return shuffle(u, v, Numbers()); }, a, b);
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
  const Lanes a = within_quarters<0, 4, 1, 5>(part[0], part[1]), b = within_quarters<0, 4, 1, 5>(part[2], part[3]);
  const Lanes c = within_quarters<2, 6, 3, 7>(part[0], part[1]), d = within_quarters<2, 6, 3, 7>(part[2], part[3]);
  store(0, within_quarters<0, 1, 4, 5>(a, b));
  store(1, within_quarters<2, 3, 6, 7>(a, b));
  store(2, within_quarters<0, 1, 4, 5>(c, d));
  store(3, within_quarters<2, 3, 6, 7>(c, d));
}

}  // namespace qisa
