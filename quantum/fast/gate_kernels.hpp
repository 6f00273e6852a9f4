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

/// P (a, b), as what becomes of a and of b.
template <Axis axis>
inline std::array<Amplitude, 2> apply_pauli(const Amplitude& a, const Amplitude& b) {
  if constexpr (axis == Axis::X) return {b, a};
  if constexpr (axis == Axis::Y) return {{{b.im, -b.re}, {-a.im, a.re}}};
  if constexpr (axis == Axis::Z) return {{a, {-b.re, -b.im}}};
}

/// (a, b) becomes (I - i t P) (a, b).
template <Axis axis>
inline void turn(Real t, Amplitude& a, Amplitude& b) {
  const auto [p, q] = apply_pauli<axis>(a, b);
  a = {a.re + t * p.im, a.im - t * p.re};
  b = {b.re + t * q.im, b.im - t * q.re};
}

/// Im <g|P|psi> on a pair: psi = (x, y), g = (u, v).
template <Axis axis>
inline Vector moment(const Amplitude& x, const Amplitude& y, const Amplitude& u, const Amplitude& v) {
  const auto [p, q] = apply_pauli<axis>(x, y);
  return u.re * p.im - u.im * p.re + v.re * q.im - v.im * q.re;
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
