// Drawings: the exact text of small circuits, to be checked by eye.
#include "quantum/text/drawing.hpp"

#include <sstream>
#include <vector>

#include "tests/catch.hpp"

namespace drawing_test {

using namespace qisa;

TEST_CASE("draw: the paper's circuit on 3 wires") {
  CHECK("\n" + draw(qisa_circuit(3)) == R"(
0: ──┤RX(rx0[0])├──┤RY(ry0[0])├──●─────⊕──┤RY(ry1[0])├──
                                 │     │
1: ──┤RX(rx0[1])├──┤RY(ry0[1])├──⊕──●──┼──┤RY(ry1[1])├──
                                    │  │
2: ──┤RX(rx0[2])├──┤RY(ry0[2])├─────⊕──●──┤RY(ry1[2])├──
)");
}

TEST_CASE("draw: gates on disjoint wires share a column, and a line keeps its column to itself") {
  Circuit circuit(4);
  circuit.add(Gate::H, 0).add(Gate::CNOT, 3, 2).add(Gate::T, 1);  // one column
  circuit.add(Gate::SWAP, 1, 3);                                  // crosses wire 2 ...
  circuit.add(Gate::S, 2);                                        // ... so this comes after it
  circuit.add(Gate::X, 0);                                        // and this stands above it
  CHECK("\n" + draw(circuit) == R"(
0: ──┤H├──┤X├───────

1: ──┤T├───×────────
           │
2: ───⊕────┼───┤S├──
      │    │
3: ───●────×────────
)");
}

TEST_CASE("draw: every gate on two wires") {
  Circuit circuit(2);
  circuit.add(Gate::CNOT, 0, 1).add(Gate::CZ, 1, 0).add(Gate::SWAP, 0, 1);
  circuit.add(Gate::CRX, 0, 1).add(Gate::CRY, 1, 0).name_angles("a").add(Gate::CRZ, 0, 1);
  CHECK("\n" + draw(circuit) == R"(
0: ──●──●──×──────●───────┤RY(a[1])├────────●─────────
     │  │  │      │           │             │
1: ──⊕──●──×──┤RX(a[0])├──────●───────┤RZ(angle[2])├──
)");
}

TEST_CASE("draw: a circuit without gates is bare wires, with numbers aligned") {
  Circuit circuit(11);
  std::istringstream lines(draw(circuit));
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  REQUIRE(rows.size() == 21);
  CHECK(rows[0] == " 0: ──");
  CHECK(rows[1].empty());
  CHECK(rows[20] == "10: ──");
}

TEST_CASE("draw: the paper's circuit on 4 wires fits into 100 columns") {
  std::istringstream lines(draw(qisa_circuit(4)));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    std::size_t characters = 0;
    for (const char byte : line) characters += (static_cast<unsigned char>(byte) >> 6) != 2;  // not 10xxxxxx
    CHECK(characters <= 100);
  }
  CHECK(count == 7);
}

}  // namespace drawing_test
