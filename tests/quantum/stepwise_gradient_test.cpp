// Circuits gate by gate: gradients against finite differences, which need double.
#include "autograd/gradient_check.hpp"
#include "quantum/stepwise.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace stepwise_gradient_test {

constexpr Index tokens = 3;

Tensor random_tensor(Random& random, const Shape& shape) {
  Tensor tensor(shape);
  for (Real& value : tensor.values()) value = static_cast<Real>(random.normal());
  return tensor;
}

void check_gradient(const std::function<Variable(std::span<const Variable>)>& function,
                    const std::vector<Tensor>& inputs) {
  const GradientCheck worst = check_gradients(function, inputs);
  Index elements = 0;
  for (const Tensor& input : inputs) elements += input.size();
  CAPTURE(worst.input, worst.element, worst.analytic, worst.numeric);
  CHECK(worst.compared == elements);
  CHECK(worst.error < 1e-8);
}

TEST_CASE("Amplitude encoding has the right gradient, with and without padding") {
  Random random(1, Purpose::tests);
  for (const Index width : {5, 8}) {
    check_gradient([](auto in) { return encode_amplitudes(in[0], 3); }, {random_tensor(random, {tokens, width})});
  }
}

TEST_CASE("Every gate has the right gradient in states and angles") {
  Random random(3, Purpose::tests);
  const Tensor states = random_tensor(random, {2, 8, tokens});
  for (const double turn : {0.7, -4.5}) {
    const Tensor angles({2}, {Real(0.3), static_cast<Real>(turn)});
    for (int g = 0; g <= static_cast<int>(Gate::CRZ); ++g) {
      const Gate gate = static_cast<Gate>(g);
      for (int target = 0; target < 3; ++target) {
        const int control = has_two_wires(gate) ? (target + 1 + g % 2) % 3 : -1;
        const Operation operation{gate, target, control, has_angle(gate) ? 1 : -1};
        INFO(gate_name(gate) << " on wire " << target << ", control " << control);
        check_gradient([&](auto in) { return apply_gate(operation, in[0], in[1]); }, {states, angles});
      }
    }
  }
}

TEST_CASE("A circuit has the right gradient in states and angles") {
  Random random(4, Purpose::tests);
  Circuit circuit(3);
  circuit.add(Gate::H, 0).add(Gate::RX, 0).add(Gate::RY, 1).add(Gate::RZ, 2).add(Gate::CNOT, 0, 2).add(Gate::T, 2);
  circuit.add(Gate::CRY, 2, 1).add(Gate::SWAP, 0, 1).add(Gate::CRX, 1, 0).add(Gate::CRZ, 0, 2).add(Gate::RY, 0);
  const Tensor states = random_tensor(random, {2, 8, tokens}), angles = random_tensor(random, {circuit.angles()});
  check_gradient([&](auto in) { return apply_circuit(circuit, in[0], in[1]); }, {states, angles});
}

TEST_CASE("Expectation values have the right gradient") {
  Random random(5, Purpose::tests);
  std::vector<PauliString> strings;
  for (const char a : std::string("IXYZ")) {
    for (const char b : std::string("IXYZ")) strings.emplace_back(std::string{a, b});
  }
  check_gradient([&](auto in) { return expectation_values(in[0], strings); }, {random_tensor(random, {2, 4, tokens})});
}

}  // namespace stepwise_gradient_test
