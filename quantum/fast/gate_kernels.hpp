// What a gate does to a pair of amplitudes, of as many tokens as a vector holds, while they are in registers.
//
// A rotation is exp(-i angle P / 2) = cos(angle/2) (I - i t P) with t = tan(angle/2), P = X, Y or Z. A turn leaves
// the cosine out, which halves the multiplications; program.hpp keeps account of it. The turn by -t undoes the turn
// by t, but for the square of another cosine.
#pragma once

#include <array>

#include "tensor/fast/lanes.hpp"

namespace qisa {

/// An amplitude of the tokens of one vector.
struct Amplitude {
  Vector re, im;
};

/// A 2x2 complex matrix, row-major: real and imaginary parts apart.
struct SplitMatrix2 {
  std::array<Real, 4> re, im;
};

enum class Axis { X, Y, Z };

/// (a, b) becomes (I - i t P) (a, b).
template <Axis axis>
inline void turn(Real t, Amplitude& a, Amplitude& b) {
  const Amplitude x = a, y = b;
  if constexpr (axis == Axis::X) {
    a = {x.re + t * y.im, x.im - t * y.re};
    b = {y.re + t * x.im, y.im - t * x.re};
  } else if constexpr (axis == Axis::Y) {
    a = {x.re - t * y.re, x.im - t * y.im};
    b = {y.re + t * x.re, y.im + t * x.im};
  } else {
    a = {x.re + t * x.im, x.im - t * x.re};
    b = {y.re - t * y.im, y.im + t * y.re};
  }
}

/// (a, b) becomes M (a, b).
inline void multiply(const SplitMatrix2& m, Amplitude& a, Amplitude& b) {
  const Amplitude x = a, y = b;
  a = {m.re[0] * x.re - m.im[0] * x.im + m.re[1] * y.re - m.im[1] * y.im,
       m.re[0] * x.im + m.im[0] * x.re + m.re[1] * y.im + m.im[1] * y.re};
  b = {m.re[2] * x.re - m.im[2] * x.im + m.re[3] * y.re - m.im[3] * y.im,
       m.re[2] * x.im + m.im[2] * x.re + m.re[3] * y.im + m.im[3] * y.re};
}

/// (a, b) becomes M+ (a, b).
inline void multiply_adjoint(const SplitMatrix2& m, Amplitude& a, Amplitude& b) {
  multiply({{m.re[0], m.re[2], m.re[1], m.re[3]}, {-m.im[0], -m.im[2], -m.im[1], -m.im[3]}}, a, b);
}

/// Im <g|P|psi> on a pair: psi = (x, y), g = (u, v).
template <Axis axis>
inline Vector moment(const Amplitude& x, const Amplitude& y, const Amplitude& u, const Amplitude& v) {
  if constexpr (axis == Axis::X) {
    return u.re * y.im - u.im * y.re + v.re * x.im - v.im * x.re;
  } else if constexpr (axis == Axis::Y) {
    return v.re * x.re + v.im * x.im - u.re * y.re - u.im * y.im;
  } else {
    return u.re * x.im - u.im * x.re - v.re * y.im + v.im * y.re;
  }
}

}  // namespace qisa
