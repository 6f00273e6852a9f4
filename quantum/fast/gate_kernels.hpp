// What a gate does to a pair of amplitudes, of as many tokens as a vector holds, while they are in registers.
//
// A rotation is exp(-i angle P / 2) = cos(angle/2) (I - i t P) with t = tan(angle/2), P = X, Y or Z. A turn leaves
// the cosine out, which halves the multiplications; program.hpp keeps account of it. The turn by -t undoes the turn
// by t, but for the square of another cosine.
#pragma once

#include <array>
#include <complex>

#include "quantum/gate.hpp"
#include "tensor/fast/lanes.hpp"

namespace qisa {

/// An amplitude of the tokens of one vector.
struct Amplitude {
  Vector re, im;
};

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

/// A 2x2 matrix, row-major, in the precision of the amplitudes.
using RoundedMatrix2 = std::array<std::complex<Real>, 4>;

/// (a, b) becomes M (a, b).
inline void multiply(const RoundedMatrix2& m, Amplitude& a, Amplitude& b) {
  const auto row = [x = a, y = b](std::complex<Real> first, std::complex<Real> second) -> Amplitude {
    return {first.real() * x.re - first.imag() * x.im + second.real() * y.re - second.imag() * y.im,
            first.real() * x.im + first.imag() * x.re + second.real() * y.im + second.imag() * y.re};
  };
  a = row(m[0], m[1]);
  b = row(m[2], m[3]);
}

}  // namespace qisa
