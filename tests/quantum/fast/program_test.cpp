// Programs against dense matrices: final states, amplitude for amplitude, whatever the angles.
#include "quantum/fast/program.hpp"

#include "tensor/tensor.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

using namespace qisa;

namespace program_test {

constexpr double tolerance = sizeof(Real) == 8 ? 1e-13 : 5e-6;

/// The largest error of an amplitude of lane_count states with these angles, relative to their lengths; sign and phase
/// count.
double error_of_states(Random& random, const Circuit& circuit, const std::vector<Real>& angles) {
  const Program program(circuit);
  const Index dimension = circuit.dimension();
  Tensor input({dimension, lane_count}), scale({lane_count}), state({dimension, 2, lane_count});
  for (Real& value : input.values()) value = static_cast<Real>(random.normal());
  for (Real& value : scale.values()) value = static_cast<Real>(random.uniform(0.5, 2));
  program.run(program.bind(angles.data()), input.data(), scale.data(), state.data());

  dense::Matrix total = dense::identity(static_cast<std::size_t>(dimension));
  for (const Operation& operation : circuit.operations()) {
    const double angle =
        operation.angle < 0 ? 0 : static_cast<double>(angles[static_cast<std::size_t>(operation.angle)]);
    const std::vector<int> on =
        operation.control < 0 ? std::vector{operation.target} : std::vector{operation.control, operation.target};
    total = dense::gate(circuit.wires(), gate_name(operation.gate), on, angle) * total;
  }
  double largest = 0;
  for (Index t = 0; t < lane_count; ++t) {
    dense::Vector x(total.size), found(total.size);
    for (Index k = 0; k < dimension; ++k) {
      const Index at = program.offsets()[static_cast<std::size_t>(k)] + t;
      x[static_cast<std::size_t>(k)] = static_cast<double>(scale[t]) * static_cast<double>(input[k * lane_count + t]);
      found[static_cast<std::size_t>(k)] = {static_cast<double>(state[at]),
                                            static_cast<double>(state[at + lane_count])};
    }
    const double length = std::sqrt(dense::inner(x, x).real());
    largest = std::max(largest, dense::distance(found, total * x) / length);
  }
  return largest;
}

Circuit with_gate(Gate gate) {
  Circuit circuit(3);
  circuit.add(Gate::RX, 0).add(Gate::RY, 1).add(Gate::RZ, 2);
  has_two_wires(gate) ? circuit.add(gate, 2, 0) : circuit.add(gate, 1);
  return circuit.add(Gate::RY, 0);
}

TEST_CASE("Programs leave the states of dense matrices, for angles within half a turn and beyond several") {
  Random random(1, Purpose::tests);
  for (const double most : {1.0, 3.0, 13.0}) {
    for (int g = 0; g < 15; ++g) {
      const Circuit circuit = with_gate(static_cast<Gate>(g));
      std::vector<Real> angles;
      for (int i = 0; i < circuit.angles(); ++i) angles.push_back(static_cast<Real>(random.uniform(-most, most)));
      INFO(gate_name(static_cast<Gate>(g)) << ", angles up to " << most);
      CHECK(error_of_states(random, circuit, angles) < tolerance);
    }
    for (int wires = 1; wires <= 5; ++wires) {
      std::vector<Real> angles;
      for (int i = 0; i < 3 * wires; ++i) angles.push_back(static_cast<Real>(random.uniform(-most, most)));
      INFO("the paper's circuit on " << wires << " wires, angles up to " << most);
      CHECK(error_of_states(random, qisa_circuit(wires), angles) < tolerance);
    }
  }
}

TEST_CASE("A rotation keeps its sign from a half turn to a whole one and beyond") {
  Random random(2, Purpose::tests);
  for (const Gate gate : {Gate::RX, Gate::RY, Gate::RZ}) {
    for (const double angle : {3.0, 3.5, -4.5, 6.0, -6.5, 9.0, 12.0}) {
      INFO(gate_name(gate) << "(" << angle << ")");
      CHECK(error_of_states(random, Circuit(1).add(gate, 0), {static_cast<Real>(angle)}) < tolerance);
    }
  }
}

TEST_CASE("Rotations without control are turns, also beyond half a turn, and a scale that would underflow makes none") {
  const Program program(qisa_circuit(2));
  const std::vector<Real> far(6, Real(4)), near(6, Real(-0.5));
  for (const auto& angles : {far, near}) {
    for (const BoundStep& step : program.bind(angles.data()).steps) CHECK(step.is_turn);
  }
  Circuit deep(1);
  for (int i = 0; i < 100; ++i) deep.add(Gate::RX, 0);
  const BoundProgram bound = Program(deep).bind(std::vector<Real>(100, Real(2.5)).data());  // cos(1.25) = 0.315
  const auto turns =
      std::count_if(bound.steps.begin(), bound.steps.end(), [](const BoundStep& s) { return s.is_turn; });
  CHECK(turns == 24);  // 0.315^24 > 2^-40 > 0.315^25
  CHECK(std::abs(static_cast<double>(bound.scale)) >= std::ldexp(1.0, -40));
}

}  // namespace program_test
