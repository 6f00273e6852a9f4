// exp(x) that compilers turn into vector code within a loop, with the same bits as outside one.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tensor/real.hpp"

namespace qisa {

/// exp(x) for doubles is the standard library's.
inline double exponential(double x) { return std::exp(x); }

/// exp(x) within 2 units in the last place. Below -87.3, where the result would be denormal, it is 0; so
/// exp(-infinity) is exactly 0. Above 88.37 it is infinity; NaN stays NaN.
///
/// With n = round(x / ln 2) and r = x - n ln 2, |r| <= ln 2 / 2:  exp(x) = 2^n exp(r). The polynomial for
/// exp(r) is its Taylor series to r^7, whose remainder is below 1e-8.
inline float exponential(float x) {
  constexpr float inverse_ln2 = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;  // high + low = ln 2
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, in the low bits
  const float shifted = x * inverse_ln2 + magic;
  const float n = shifted - magic;
  const float r = (x - n * ln2_high) - n * ln2_low;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // 2^n as a float: n + 127 in the exponent bits. n comes from the low bits of `shifted`.
  const auto bits = (std::bit_cast<std::uint32_t>(shifted) + 127u) << 23;
  float result = p * std::bit_cast<float>(bits);
  result = x < -87.3f ? 0.0f : result;
  return x > 88.37f ? std::numeric_limits<float>::infinity() : result;
}

}  // namespace qisa
