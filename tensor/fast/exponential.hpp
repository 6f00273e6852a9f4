// exp(x) that compilers turn into vector code within a loop, with the same bits as outside one.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tensor/fast/lanes.hpp"

namespace qisa {

/// exp(x) for doubles is the standard library's.
inline double exponential(double x) { return std::exp(x); }

/// exp(x) for Float, a float or a vector of floats, with Bits its 32-bit integers. Within 2 units in the last
/// place. Below -87.3, where the result would be denormal, it is 0; so exp(-infinity) is exactly 0. Above 88.37 it
/// is infinity; NaN stays NaN.
///
/// With n = round(x / ln 2) and r = x - n ln 2, |r| <= ln 2 / 2:  exp(x) = 2^n exp(r). The polynomial for
/// exp(r) is its Taylor series to r^7, whose remainder is below 1e-8.
template <class Float, class Bits>
inline Float float_exponential(const Float& x) {
  constexpr float inverse_ln2 = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;  // high + low = ln 2
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, in the low bits
  const Float shifted = x * inverse_ln2 + magic;
  const Float n = shifted - magic;
  const Float r = (x - n * ln2_high) - n * ln2_low;
  Float p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // 2^n as a float: n + 127 in the exponent bits. n comes from the low bits of `shifted`.
  const Float power = std::bit_cast<Float>((std::bit_cast<Bits>(shifted) + 127u) << 23);
  const Float result = x < -87.3f ? Float{} : p * power;
  return x > 88.37f ? Float{} + std::numeric_limits<float>::infinity() : result;
}

inline float exponential(float x) { return float_exponential<float, std::uint32_t>(x); }

/// exp of every lane.
inline Lanes exponential(const Lanes& x) {
#ifdef QISA_DOUBLE
  Lanes y;
  for (Index lane = 0; lane < lane_count; ++lane) y[lane] = exponential(x[lane]);
  return y;
#else
  using Bits __attribute__((vector_size(sizeof(Vector)))) = std::uint32_t;
  using Floats __attribute__((vector_size(sizeof(Vector)))) = float;
  const auto of_vector = [](const Vector& numbers) {
    const Floats aligned = numbers;  // unlike a Vector, which may lie anywhere
    return float_exponential<Floats, Bits>(aligned);
  };
  return each_vector(of_vector, x);
#endif
}

}  // namespace qisa
