// Gates: their matrices against textbook entries, and the pairs of amplitudes that they mix against
// Kronecker products (dense.hpp).
#include "quantum/gate.hpp"

#include "quantum/circuit.hpp"
#include "quantum/pairs.hpp"
#include "tensor/error.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

namespace gate_test {

using namespace qisa;

struct Case {
  Gate gate;
  std::string name;
  std::string on_pair;  // the gate on one wire whose matrix acts on the pairs
  bool two_wires, angle;
};

const std::vector<Case> all_gates = {
    {Gate::H, "H", "H", false, false},    {Gate::X, "X", "X", false, false},
    {Gate::Y, "Y", "Y", false, false},    {Gate::Z, "Z", "Z", false, false},
    {Gate::S, "S", "S", false, false},    {Gate::T, "T", "T", false, false},
    {Gate::RX, "RX", "RX", false, true},  {Gate::RY, "RY", "RY", false, true},
    {Gate::RZ, "RZ", "RZ", false, true},  {Gate::CNOT, "CNOT", "X", true, false},
    {Gate::CZ, "CZ", "Z", true, false},   {Gate::SWAP, "SWAP", "X", true, false},
    {Gate::CRX, "CRX", "RX", true, true}, {Gate::CRY, "CRY", "RY", true, true},
    {Gate::CRZ, "CRZ", "RZ", true, true},
};

const std::vector<double> angles = {0, 0.7, -2.3, std::numbers::pi, 5};

dense::Vector entries(const Matrix2& m) { return {m.begin(), m.end()}; }
dense::Matrix dense_matrix(const Matrix2& m) { return {2, {m[0], m[1], m[2], m[3]}}; }

/// The state after the matrix has mixed each pair of amplitudes of the operation.
dense::Vector apply(int wires, const Operation& operation, const Matrix2& m, dense::Vector state) {
  for_each_pair(wires, operation, [&](Index i0, Index i1) {
    auto &a0 = state[static_cast<std::size_t>(i0)], &a1 = state[static_cast<std::size_t>(i1)];
    const auto old0 = a0, old1 = a1;
    a0 = m[0] * old0 + m[1] * old1;
    a1 = m[2] * old0 + m[3] * old1;
  });
  return state;
}

/// One operation for each wire, or for each ordered pair of different wires.
std::vector<Operation> placements(const Case& gate, int wires) {
  std::vector<Operation> result;
  for (int target = 0; target < wires; ++target) {
    if (!gate.two_wires) result.push_back({gate.gate, target});
    for (int control = 0; gate.two_wires && control < wires; ++control) {
      if (control != target) result.push_back({gate.gate, target, control});
    }
  }
  return result;
}

TEST_CASE("gates: names, angles and numbers of wires are those of the table") {
  for (const Case& gate : all_gates) {
    CAPTURE(gate.name);
    CHECK(gate_name(gate.gate) == gate.name);
    CHECK(has_angle(gate.gate) == gate.angle);
    CHECK(has_two_wires(gate.gate) == gate.two_wires);
  }
}

TEST_CASE("gates: matrices have the textbook's entries") {
  for (const Case& gate : all_gates) {
    for (const double angle : angles) {
      CAPTURE(gate.name, angle);
      CHECK(dense::distance(entries(matrix(gate.gate, angle)), dense::one_wire_gate(gate.on_pair, angle).entries) <
            1e-15);
    }
  }
}

TEST_CASE("gates: rotations by pi are -i times the Pauli matrix") {
  const dense::Complex i(0, 1);
  CHECK(dense::distance(entries(matrix(Gate::RX, std::numbers::pi)), {0, -i, -i, 0}) < 1e-15);
  CHECK(dense::distance(entries(matrix(Gate::RY, std::numbers::pi)), {0, -1, 1, 0}) < 1e-15);
  CHECK(dense::distance(entries(matrix(Gate::RZ, std::numbers::pi)), {-i, 0, 0, i}) < 1e-15);
}

TEST_CASE("gates: matrices are unitary, and adjoint is their inverse") {
  for (const Case& gate : all_gates) {
    for (const double angle : angles) {
      CAPTURE(gate.name, angle);
      const Matrix2 m = matrix(gate.gate, angle);
      CHECK(dense::distance(dense::adjoint(dense_matrix(m)) * dense_matrix(m), dense::identity(2)) < 1e-15);
      CHECK(dense::distance(entries(adjoint(m)), dense::adjoint(dense_matrix(m)).entries) == 0);
    }
  }
}

TEST_CASE("gates: matrix_derivative is the finite difference of matrix") {
  constexpr double step = 1e-5;
  for (const Case& gate : all_gates) {
    if (!gate.angle) continue;
    for (const double angle : angles) {
      CAPTURE(gate.name, angle);
      const Matrix2 after = matrix(gate.gate, angle + step), before = matrix(gate.gate, angle - step);
      dense::Vector difference(4);
      for (std::size_t k = 0; k < 4; ++k) difference[k] = (after[k] - before[k]) / (2 * step);
      CHECK(dense::distance(entries(matrix_derivative(gate.gate, angle)), difference) < 1e-10);
    }
  }
}

TEST_CASE("gates: matrix_derivative refuses a gate without an angle") {
  CHECK_THROWS_MATCHES(matrix_derivative(Gate::CNOT, 0.5), Error, Catch::Matchers::Message("gate CNOT has no angle"));
}

TEST_CASE("pairs: every gate on every choice of wires is its Kronecker product") {
  Random random(1, Purpose::tests);
  int compared = 0;
  for (const Case& gate : all_gates) {
    for (int wires = 1; wires <= 4; ++wires) {
      for (const Operation& operation : placements(gate, wires)) {
        const double angle = random.uniform(-4, 4);
        const auto on =
            gate.two_wires ? std::vector{operation.control, operation.target} : std::vector{operation.target};
        CAPTURE(gate.name, wires, operation.target, operation.control, angle);
        const dense::Vector state = dense::random_state(random, wires);
        const dense::Vector result = apply(wires, operation, matrix(gate.gate, angle), state);
        CHECK(dense::distance(result, dense::gate(wires, gate.name, on, angle) * state) < 1e-12);
        const dense::Vector back = apply(wires, operation, adjoint(matrix(gate.gate, angle)), result);
        CHECK(dense::distance(back, state) < 1e-12);
        ++compared;
      }
    }
  }
  // 9 gates on 1 + 2 + 3 + 4 wires, 6 gates on 2 + 6 + 12 ordered pairs.
  CHECK(compared == 9 * 10 + 6 * 20);
}

}  // namespace gate_test
