#include "quantum/gate.hpp"

#include <cmath>
#include <numbers>

#include "tensor/error.hpp"

namespace qisa {
namespace {

using namespace std::complex_literals;

constexpr std::array<std::string_view, 15> gate_names = {"H",  "X",    "Y",  "Z",    "S",   "T",   "RX", "RY",
                                                         "RZ", "CNOT", "CZ", "SWAP", "CRX", "CRY", "CRZ"};

}  // namespace

std::string_view gate_name(Gate gate) { return gate_names[static_cast<std::size_t>(gate)]; }

bool has_angle(Gate gate) { return (gate >= Gate::RX && gate <= Gate::RZ) || gate >= Gate::CRX; }

// RX, RY, RZ and CRX, CRY, CRZ follow each other.
Axis axis_of(Gate rotation) { return Axis((static_cast<int>(rotation) - static_cast<int>(Gate::RX)) % 3); }

bool has_two_wires(Gate gate) { return gate >= Gate::CNOT; }

Matrix2 matrix(Gate gate, double angle) {
  constexpr double half = std::numbers::sqrt2 / 2;
  switch (gate) {
    case Gate::H:
      return {half, half, half, -half};
    case Gate::X:
    case Gate::CNOT:
    case Gate::SWAP:
      return {0, 1, 1, 0};
    case Gate::Y:
      return {0, -1i, 1i, 0};
    case Gate::Z:
    case Gate::CZ:
      return {1, 0, 0, -1};
    case Gate::S:
      return {1, 0, 0, 1i};
    case Gate::T:
      return {1, 0, 0, std::complex(half, half)};
    default: {  // exp(-i angle P / 2) = cos(angle / 2) I - i sin(angle / 2) P
      const Matrix2 p = matrix(std::array{Gate::X, Gate::Y, Gate::Z}[static_cast<std::size_t>(axis_of(gate))], 0);
      const std::complex<double> c = std::cos(angle / 2), s = -1i * std::sin(angle / 2);
      return {c + s * p[0], s * p[1], s * p[2], c + s * p[3]};
    }
  }
}

Matrix2 matrix_derivative(Gate gate, double angle) {
  require(has_angle(gate), "gate {} has no angle", gate_name(gate));
  Matrix2 result = matrix(gate, angle + std::numbers::pi);
  for (auto& entry : result) entry /= 2;
  return result;
}

}  // namespace qisa
