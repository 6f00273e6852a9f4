// Circuits: the builder, its errors, and the paper's circuit against a dense product of gates.
#include "quantum/circuit.hpp"

#include "tensor/error.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

namespace circuit_test {

using namespace qisa;
using Catch::Matchers::Message;

/// The circuit's matrix: the product of its gates, the first gate rightmost.
dense::Matrix unitary(const Circuit& circuit, const std::vector<double>& angles) {
  dense::Matrix result = dense::identity(std::size_t{1} << circuit.wires());
  for (const Operation& operation : circuit.operations()) {
    const auto on =
        operation.control < 0 ? std::vector{operation.target} : std::vector{operation.control, operation.target};
    const double angle = operation.angle < 0 ? 0 : angles.at(static_cast<std::size_t>(operation.angle));
    result = dense::gate(circuit.wires(), gate_name(operation.gate), on, angle) * result;
  }
  return result;
}

TEST_CASE("circuit: gates are listed in the order added, and only rotations take an angle") {
  Circuit circuit(3);
  circuit.add(Gate::H, 2).add(Gate::RY, 0).add(Gate::CNOT, 2, 1).add(Gate::CRZ, 0, 2).add(Gate::RX, 1);

  struct Expected {
    Gate gate;
    int target, control, angle;
  };
  const std::vector<Expected> expected = {
      {Gate::H, 2, -1, -1}, {Gate::RY, 0, -1, 0}, {Gate::CNOT, 1, 2, -1}, {Gate::CRZ, 2, 0, 1}, {Gate::RX, 1, -1, 2}};
  REQUIRE(circuit.operations().size() == expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    CHECK(circuit.operations()[k].gate == expected[k].gate);
    CHECK(circuit.operations()[k].target == expected[k].target);
    CHECK(circuit.operations()[k].control == expected[k].control);
    CHECK(circuit.operations()[k].angle == expected[k].angle);
  }
  CHECK(circuit.wires() == 3);
  CHECK(circuit.dimension() == 8);
  CHECK(circuit.angles() == 3);
}

TEST_CASE("circuit: a name covers the angles added since the last one") {
  Circuit circuit(2);
  circuit.add(Gate::RX, 0).add(Gate::RX, 1).name_angles("a").name_angles("none");
  circuit.add(Gate::H, 0).add(Gate::CRY, 0, 1).name_angles("b").add(Gate::RZ, 1);
  REQUIRE(circuit.angles() == 4);
  CHECK(circuit.angle_name(0) == "a[0]");
  CHECK(circuit.angle_name(1) == "a[1]");
  CHECK(circuit.angle_name(2) == "b[0]");
  CHECK(circuit.angle_name(3) == "angle[3]");
}

TEST_CASE("circuit: errors name the numbers that disagree") {
  CHECK_THROWS_MATCHES(Circuit(0), Error, Message("a circuit has 1 to 16 wires, not 0"));
  CHECK_THROWS_MATCHES(Circuit(17), Error, Message("a circuit has 1 to 16 wires, not 17"));
  Circuit circuit(3);
  CHECK_THROWS_MATCHES(circuit.add(Gate::CNOT, 1), Error, Message("gate CNOT needs two wires"));
  CHECK_THROWS_MATCHES(circuit.add(Gate::RX, 3), Error, Message("gate RX: no wire 3 in a circuit of 3 wires"));
  CHECK_THROWS_MATCHES(circuit.add(Gate::H, -1), Error, Message("gate H: no wire -1 in a circuit of 3 wires"));
  CHECK_THROWS_MATCHES(circuit.add(Gate::RX, 0, 1), Error, Message("gate RX acts on one wire"));
  CHECK_THROWS_MATCHES(circuit.add(Gate::CZ, 2, 2), Error,
                       Message("gate CZ: wires 2 and 2 must be two different wires of 3"));
  CHECK_THROWS_MATCHES(circuit.add(Gate::CRX, 0, 3), Error,
                       Message("gate CRX: wires 0 and 3 must be two different wires of 3"));
  CHECK_THROWS_MATCHES(circuit.add(Gate::SWAP, -1, 1), Error,
                       Message("gate SWAP: wires -1 and 1 must be two different wires of 3"));
  CHECK_THROWS_MATCHES(circuit.angle_name(0), Error, Message("a circuit of 0 angles has no angle 0"));
  CHECK(circuit.operations().empty());  // a refused gate leaves nothing behind
  CHECK(circuit.angles() == 0);
}

TEST_CASE("qisa_circuit: RX then RY on each wire, the ring of CNOTs, RY on each wire") {
  Random random(2, Purpose::tests);
  for (int wires = 1; wires <= 4; ++wires) {
    CAPTURE(wires);
    std::vector<double> rx0, ry0, ry1;
    for (auto* group : {&rx0, &ry0, &ry1}) {
      for (int wire = 0; wire < wires; ++wire) group->push_back(random.uniform(-3, 3));
    }

    dense::Matrix expected = dense::identity(std::size_t{1} << wires);
    for (int j = 0; j < wires; ++j) {
      expected = dense::gate(wires, "RX", {j}, rx0.at(static_cast<std::size_t>(j))) * expected;
      expected = dense::gate(wires, "RY", {j}, ry0.at(static_cast<std::size_t>(j))) * expected;
    }
    if (wires > 1) {
      for (int j = 0; j < wires; ++j) expected = dense::gate(wires, "CNOT", {j, (j + 1) % wires}) * expected;
    }
    for (int j = 0; j < wires; ++j) {
      expected = dense::gate(wires, "RY", {j}, ry1.at(static_cast<std::size_t>(j))) * expected;
    }

    std::vector<double> angles = rx0;
    angles.insert(angles.end(), ry0.begin(), ry0.end());
    angles.insert(angles.end(), ry1.begin(), ry1.end());
    const Circuit circuit = qisa_circuit(wires);
    REQUIRE(circuit.wires() == wires);
    REQUIRE(circuit.angles() == 3 * wires);
    CHECK(dense::distance(unitary(circuit, angles), expected) < 1e-13);
  }
}

TEST_CASE("qisa_circuit: angles are named rx0, ry0, ry1 by wire") {
  const Circuit circuit = qisa_circuit(2);
  std::vector<std::string> names;
  for (int angle = 0; angle < circuit.angles(); ++angle) names.push_back(circuit.angle_name(angle));
  CHECK(names == std::vector<std::string>{"rx0[0]", "rx0[1]", "ry0[0]", "ry0[1]", "ry1[0]", "ry1[1]"});
}

TEST_CASE("wires_for: the fewest wires with room for the width, at least one") {
  const std::vector<std::pair<Index, int>> cases = {{1, 1}, {2, 1}, {3, 2},  {4, 2},  {5, 3},
                                                    {8, 3}, {9, 4}, {16, 4}, {17, 5}, {128, 7}};
  for (const auto& [width, wires] : cases) {
    CAPTURE(width);
    CHECK(wires_for(width) == wires);
  }
  CHECK_THROWS_MATCHES(wires_for(0), Error, Message("a state needs at least 1 amplitude, not 0"));
}

}  // namespace circuit_test
