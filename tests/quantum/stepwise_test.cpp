// Circuits gate by gate: values against dense matrices. Gradients: stepwise_gradient_test.cpp.
#include "quantum/stepwise.hpp"

#include "autograd/backward.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

using namespace qisa;

namespace stepwise_test {

constexpr bool is_double = sizeof(Real) == 8;
constexpr double tolerance = is_double ? 1e-13 : 2e-6;
constexpr Index tokens = 3;

Tensor random_tensor(Random& random, const Shape& shape) {
  Tensor tensor(shape);
  for (Real& value : tensor.values()) value = static_cast<Real>(random.normal());
  return tensor;
}

/// State t of a batch [2, 2^wires, tokens].
dense::Vector state(const Tensor& states, Index t) {
  const Index dimension = states.shape()[1], count = states.shape()[2];
  dense::Vector result;
  for (Index k = 0; k < dimension; ++k) {
    result.emplace_back(states[k * count + t], states[(dimension + k) * count + t]);
  }
  return result;
}

struct Case {
  Operation operation;
  std::vector<int> wires;  // as the oracle wants them
};

/// Every gate on 3 wires, on every wire or pair of wires.
std::vector<Case> every_gate() {
  std::vector<Case> cases;
  for (int i = 0; i <= static_cast<int>(Gate::CRZ); ++i) {
    const Gate gate = static_cast<Gate>(i);
    const int angle = has_angle(gate) ? 1 : -1;
    for (int a = 0; a < 3; ++a) {
      if (!has_two_wires(gate)) cases.push_back({{gate, a, -1, angle}, {a}});
      for (int b = 0; b < 3; ++b) {
        if (has_two_wires(gate) && a != b) cases.push_back({{gate, b, a, angle}, {a, b}});
      }
    }
  }
  return cases;
}

Circuit small_circuit() {
  Circuit circuit(3);
  circuit.add(Gate::H, 0).add(Gate::RX, 0).add(Gate::RY, 1).add(Gate::RZ, 2).add(Gate::CNOT, 0, 2).add(Gate::T, 2);
  circuit.add(Gate::CRY, 2, 1).add(Gate::SWAP, 0, 1).add(Gate::CRX, 1, 0).add(Gate::CRZ, 0, 2).add(Gate::RY, 0);
  return circuit;
}

TEST_CASE("Circuits refuse an empty Variable, by the operation's name") {
  const Variable none, angles(Tensor::zeros({1})), states(Tensor::zeros({2, 2, 3}));
  const Circuit circuit = Circuit(1).add(Gate::RX, 0);
  const std::vector<PauliString> strings = {PauliString("Z")};
  const auto refused = [](const char* operation) {
    return fmt::format("[{}] an input is an empty Variable, which has no value", operation);
  };
  CHECK_THROWS_WITH(encode_amplitudes(none, 1), refused("encode_amplitudes"));
  CHECK_THROWS_WITH(apply_gate(circuit.operations()[0], none, angles), refused("apply_gate"));
  CHECK_THROWS_WITH(apply_circuit(circuit, none, angles), refused("apply_circuit"));
  CHECK_THROWS_WITH(expectation_values(none, strings), refused("expectation_values"));
}

TEST_CASE("Amplitude encoding gives unit states, padded with zeros at the end") {
  Random random(1, Purpose::tests);
  const Tensor rows = random_tensor(random, {tokens, 5});
  const Tensor states = encode_amplitudes(Variable(rows), 3).value();
  REQUIRE(states.shape() == Shape{2, 8, tokens});
  for (Index t = 0; t < tokens; ++t) {
    double norm = 0;
    for (Index i = 0; i < 5; ++i) norm = std::hypot(norm, static_cast<double>(rows[t * 5 + i]));
    dense::Vector expected(8);
    for (Index i = 0; i < 5; ++i) expected[static_cast<std::size_t>(i)] = static_cast<double>(rows[t * 5 + i]) / norm;
    CHECK(dense::distance(state(states, t), expected) < tolerance);
  }
  CHECK_THROWS_AS(encode_amplitudes(Variable(rows), 2), Error);
}

TEST_CASE("A zero row encodes to the zero state with gradient zero, and leaves its neighbours alone") {
  const Variable rows = Variable::leaf(Tensor({3, 2}, {3, 4, 0, 0, -4, 3}));
  const Variable states = encode_amplitudes(rows, 1);
  const std::vector<dense::Vector> expected = {{0.6, 0.8}, {0, 0}, {-0.8, 0.6}};
  for (Index t = 0; t < 3; ++t) {
    CHECK(dense::distance(state(states.value(), t), expected[static_cast<std::size_t>(t)]) < tolerance);
  }
  backward(states, Tensor::full(states.shape(), 1));
  const Tensor gradient = rows.gradient();
  CHECK(gradient[2] == 0);
  CHECK(gradient[3] == 0);
  CHECK(static_cast<double>(gradient[0]) == Approx((1 - 1.4 * 0.6) / 5).margin(tolerance));
  CHECK(static_cast<double>(gradient[4]) == Approx((1 - -0.2 * -0.8) / 5).margin(tolerance));
}

TEST_CASE("Every gate on every choice of wires is its dense matrix") {
  Random random(2, Purpose::tests);
  const Variable states(random_tensor(random, {2, 8, tokens}));
  for (const double angle : {0.7, -2.9, 4.5, -8.0}) {  // beyond a half turn and a whole one too
    const Variable angles(Tensor({2}, {0, static_cast<Real>(angle)}));
    for (const auto& [operation, wires] : every_gate()) {
      const Tensor result = apply_gate(operation, states, angles).value();
      const dense::Matrix m = dense::gate(3, gate_name(operation.gate), wires, static_cast<double>(angles.value()[1]));
      INFO(gate_name(operation.gate) << "(" << angle << ") on " << operation.target << ", " << operation.control);
      for (Index t = 0; t < tokens; ++t) {
        CHECK(dense::distance(state(result, t), m * state(states.value(), t)) < 4 * tolerance);
      }
    }
  }
}

TEST_CASE("A circuit is the product of its gates") {
  Random random(4, Purpose::tests);
  const Circuit circuit = small_circuit();
  const Tensor states = random_tensor(random, {2, 8, tokens}), angles = random_tensor(random, {circuit.angles()});
  dense::Matrix total = dense::identity(8);
  for (const Operation& operation : circuit.operations()) {
    const std::vector<int> wires =
        operation.control < 0 ? std::vector{operation.target} : std::vector{operation.control, operation.target};
    const double angle = operation.angle < 0 ? 0 : static_cast<double>(angles[operation.angle]);
    total = dense::gate(3, gate_name(operation.gate), wires, angle) * total;
  }
  const Tensor result = apply_circuit(circuit, Variable(states), Variable(angles)).value();
  for (Index t = 0; t < tokens; ++t) {
    CHECK(dense::distance(state(result, t), total * state(states, t)) < 10 * tolerance);
  }
  CHECK_THROWS_AS(apply_circuit(Circuit(2), Variable(states), Variable(Tensor({0}))), Error);
  CHECK_THROWS_AS(apply_circuit(circuit, Variable(states), Variable(Tensor({circuit.angles() + 1}))), Error);
}

TEST_CASE("Expectation values are <psi|P|psi>") {
  Random random(5, Purpose::tests);
  std::vector<PauliString> strings;
  for (const char a : std::string("IXYZ")) {
    for (const char b : std::string("IXYZ")) strings.emplace_back(std::string{a, b});
  }
  const Tensor states = random_tensor(random, {2, 4, tokens});
  const Tensor values = expectation_values(Variable(states), strings).value();
  REQUIRE(values.shape() == Shape{tokens, 16});
  for (Index t = 0; t < tokens; ++t) {
    const dense::Vector psi = state(states, t);
    for (Index m = 0; m < 16; ++m) {
      const std::string& text = strings[static_cast<std::size_t>(m)].text();
      const double expected = dense::inner(psi, dense::pauli_string(text) * psi).real();
      INFO(text);
      CHECK(static_cast<double>(values[t * 16 + m]) == Approx(expected).margin(20 * tolerance));
    }
  }
  CHECK_THROWS_AS(expectation_values(Variable(states), std::vector{PauliString("XYZ")}), Error);
}

}  // namespace stepwise_test
