// Quantum gates: each is one 2x2 matrix on pairs of amplitudes.
//
// A state of n wires has 2^n amplitudes, numbered by basis states. Wire 0 is the most significant bit of the number,
// wire n - 1 the least: with 3 wires amplitude 4 = 100 in binary is that of |100>, wire 0 in 1 and the others in 0.
//
// A gate on one wire pairs the basis states that differ in that wire's bit. A controlled gate does
// so only where the control bit is 1. SWAP exchanges the pairs |01> and |10> of its two wires: the
// matrix X on those pairs. So every gate is a matrix (here) and a choice of pairs (pairs.hpp).
#pragma once

#include <array>
#include <complex>
#include <string_view>

#include "tensor/real.hpp"

namespace qisa {

enum class Gate { H, X, Y, Z, S, T, RX, RY, RZ, CNOT, CZ, SWAP, CRX, CRY, CRZ };

enum class Axis { X, Y, Z };

/// [[m00, m01], [m10, m11]], row-major: new amplitudes are m times old ones.
using Matrix2 = std::array<std::complex<double>, 4>;

/// The textbook's name: "H", "RX", "CNOT", …
std::string_view gate_name(Gate gate);

/// Whether the gate has a rotation angle: RX, RY, RZ and their controlled forms.
bool has_angle(Gate gate);

/// The axis P of a gate that has an angle: X of RX and CRX, …
Axis axis_of(Gate rotation);

/// Whether the gate acts on two wires.
bool has_two_wires(Gate gate);

/// The matrix on a pair. Rotations are R_P(angle) = exp(-i angle P / 2), angle in radians; other
/// gates ignore it.
Matrix2 matrix(Gate gate, double angle);

/// d matrix / d angle = -i/2 P R_P(angle) = R_P(angle + pi) / 2. Throws when the gate has no angle.
Matrix2 matrix_derivative(Gate gate, double angle);

/// Conjugate transpose: the inverse of a gate's matrix, in any precision.
template <class Number>
std::array<std::complex<Number>, 4> adjoint(const std::array<std::complex<Number>, 4>& m) {
  return {std::conj(m[0]), std::conj(m[2]), std::conj(m[1]), std::conj(m[3])};
}

}  // namespace qisa
