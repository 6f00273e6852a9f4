// Sixteen numbers as one value, for kernels in which that is faster than a loop over sixteen numbers.
//
// They are one vector if a register of the processor holds as many, otherwise some vectors that are worked on alike.
// Arithmetic works on all lanes at once. Sums over many rows stay in registers, where loops over arrays would go
// through memory. Products of matrices in lanes: lane_product.hpp.
#pragma once

#include <cmath>
#include <concepts>
#include <functional>
#include <type_traits>

#include "tensor/fast/vector.hpp"

namespace qisa {

inline constexpr Index lane_count = 16;

#if defined(__AVX512F__) && !defined(QISA_DOUBLE)

// A structure around one vector would be slower: GCC 12 keeps some of its copies in memory.
using Lanes = Vector;

/// The lanes of which each vector is f(that of a, that of b).
template <class Function>
[[gnu::always_inline]] inline Lanes each_vector(Function f, const Lanes& a) {
  return f(a);
}
template <class Function>
[[gnu::always_inline]] inline Lanes each_vector(Function f, const Lanes& a, const Lanes& b) {
  return f(a, b);
}

#else

// The compilers' vector type can be longer than a register, but GCC 12 keeps such vectors in memory; also structures
// that are not copied vector by vector.
struct [[gnu::may_alias]] Lanes {
  static constexpr std::size_t count = lane_count / vector_count;
  Vector vectors[count];

  Lanes() = default;
  Lanes(Real each) {
    for (std::size_t i = 0; i < count; ++i) vectors[i] = each - Vector{};
  }
  Lanes(const Lanes& other) {
    for (std::size_t i = 0; i < count; ++i) vectors[i] = other.vectors[i];
  }
  Lanes& operator=(const Lanes& other) = default;

  Real& operator[](Index lane) { return reinterpret_cast<Real*>(vectors)[lane]; }
  Real operator[](Index lane) const { return reinterpret_cast<const Real*>(vectors)[lane]; }
};

/// The lanes of which each vector is f(that of a, that of b, …).
template <class Function, std::same_as<Lanes>... Values>
[[gnu::always_inline]] inline Lanes each_vector(Function f, const Values&... values) {
  Lanes result;
  for (std::size_t i = 0; i < Lanes::count; ++i) result.vectors[i] = f(values.vectors[i]...);
  return result;
}

inline Lanes operator+(const Lanes& a, const Lanes& b) {
  return each_vector([](const Vector& u, const Vector& v) { return u + v; }, a, b);
}
inline Lanes operator-(const Lanes& a, const Lanes& b) {
  return each_vector([](const Vector& u, const Vector& v) { return u - v; }, a, b);
}
inline Lanes operator*(const Lanes& a, const Lanes& b) {
  return each_vector([](const Vector& u, const Vector& v) { return u * v; }, a, b);
}
inline Lanes operator/(const Lanes& a, const Lanes& b) {
  return each_vector([](const Vector& u, const Vector& v) { return u / v; }, a, b);
}
inline Lanes& operator+=(Lanes& a, const Lanes& b) { return a = a + b; }
inline Lanes& operator-=(Lanes& a, const Lanes& b) { return a = a - b; }
inline Lanes& operator*=(Lanes& a, const Lanes& b) { return a = a * b; }

#endif

/// The sixteen numbers at `numbers`, to read or to write.
inline Lanes& lanes(Real* numbers) { return *reinterpret_cast<Lanes*>(numbers); }
inline const Lanes& lanes(const Real* numbers) { return *reinterpret_cast<const Lanes*>(numbers); }

// ---- All lanes as one number

/// The lanes combined to one number, halves with halves.
template <class Combine>
inline Real combine_lanes(const Lanes& v, Combine combine) {
  Real numbers[lane_count];
  lanes(numbers) = v;
#pragma GCC unroll 4
  for (Index half = lane_count / 2; half > 0; half /= 2) {
#pragma omp simd
    for (Index i = 0; i < half; ++i) numbers[i] = combine(numbers[i], numbers[half + i]);
  }
  return numbers[0];
}

/// Sum over the lanes.
inline Real sum(const Lanes& v) { return combine_lanes(v, std::plus()); }

/// The largest lane.
inline Real largest(const Lanes& v) {
  return combine_lanes(v, [](Real a, Real b) { return a > b ? a : b; });
}

// ---- Lane by lane

/// a where a > b, otherwise b.
inline Lanes larger(const Lanes& a, const Lanes& b) {
  return each_vector([](const Vector& u, const Vector& v) { return u > v ? u : v; }, a, b);
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
  static constexpr Real numbers[lane_count] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto end = static_cast<Real>(count);
  return each_vector([=](const Vector& number, const Vector& x) { return number < end ? x : Vector{} + other; },
                     lanes(numbers), v);
}

/// The part of a row that is whole groups of lanes: after them lie what remains.
inline Index whole_lanes(Index count) { return count - count % lane_count; }

/// All lanes, as a count that is known where it is compiled.
using AllLanes = std::integral_constant<Index, lane_count>;

/// The first `count` numbers at `from`, and zeros in the lanes after them.
template <class Count>
[[gnu::always_inline]] inline Lanes load_lanes(const Real* from, Count count) {
  if constexpr (std::is_same_v<Count, AllLanes>) return lanes(from);
  Real numbers[lane_count];
#pragma omp simd
  for (int i = 0; i < int{lane_count}; ++i) numbers[i] = i < static_cast<int>(count) ? from[i] : Real(0);
  return lanes(numbers);
}

/// Sets the first `count` numbers at `to` from those lanes.
template <class Count>
[[gnu::always_inline]] inline void store_lanes(Real* to, const Lanes& v, Count count) {
  if constexpr (std::is_same_v<Count, AllLanes>) {
    lanes(to) = v;
  } else {
    Real numbers[lane_count];
    lanes(numbers) = v;
#pragma omp simd
    for (int i = 0; i < int{lane_count}; ++i) {
      if (i < static_cast<int>(count)) to[i] = numbers[i];
    }
  }
}

/// f(i, count) for i = 0, 16, … of a row of numbers: `count` of them lie in the lanes from i on, all sixteen or what
/// remains.
template <class Function>
[[gnu::always_inline]] inline void for_each_group(Index numbers, Function f) {
  const Index whole = whole_lanes(numbers);
  for (Index i = 0; i < whole; i += lane_count) f(i, AllLanes());
  if (whole < numbers) f(whole, numbers - whole);
}

/// `count` rounded up to whole groups of lanes.
inline Index padded_to_lanes(Index count) { return whole_lanes(count + lane_count - 1); }

}  // namespace qisa
