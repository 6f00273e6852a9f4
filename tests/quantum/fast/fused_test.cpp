// Circuits with fixed angles against dense matrices.
#include "quantum/fast/fused.hpp"

#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

using namespace qisa;

namespace fused_test {

constexpr double tolerance = sizeof(Real) == 8 ? 1e-12 : 5e-6;

/// Two copies of a circuit with every kind of gate, with strings of their own.
struct Bank {
  Circuit circuit;
  Tensor angles;
  std::vector<std::vector<PauliString>> strings;

  Bank(Random& random, int wires) : circuit(qisa_circuit(wires)) {
    circuit.add(Gate::T, 0).add(Gate::H, wires - 1).add(Gate::Y, 0).add(Gate::X, 0).add(Gate::S, wires - 1);
    circuit.add(Gate::RZ, 0).add(Gate::Z, wires - 1);
    if (wires > 1) circuit.add(Gate::SWAP, 0, 1).add(Gate::CRX, 1, 0).add(Gate::CRY, 0, 1).add(Gate::CRZ, 0, 1);
    if (wires > 2) circuit.add(Gate::CZ, 2, 0).add(Gate::CNOT, 2, 1).add(Gate::RX, 1);
    angles = Tensor({2, circuit.angles()});
    for (Real& angle : angles.values()) angle = static_cast<Real>(random.uniform(-9, 9));
    for (const int count : {9, 4}) {
      std::vector<PauliString>& drawn = strings.emplace_back();
      for (int m = 0; m < count; ++m) {
        std::string text;
        for (int wire = 0; wire < wires; ++wire) text += "IXYZ"[random.below(4)];
        drawn.emplace_back(text);
      }
    }
  }

  Fused fused() const { return Fused(std::make_shared<BankProgram>(circuit, strings), angles); }

  dense::Matrix unitary(Index head) const {
    dense::Matrix total = dense::identity(static_cast<std::size_t>(circuit.dimension()));
    for (const Operation& operation : circuit.operations()) {
      const double angle =
          operation.angle < 0 ? 0 : static_cast<double>(angles[head * circuit.angles() + operation.angle]);
      const std::vector<int> on =
          operation.control < 0 ? std::vector{operation.target} : std::vector{operation.control, operation.target};
      total = dense::gate(circuit.wires(), gate_name(operation.gate), on, angle) * total;
    }
    return total;
  }

  /// <psi|P|psi> / <x|x> with psi = U x, or 0 for a row of zeros: [tokens, strings of both heads].
  Tensor expectations(const Tensor& rows) const {
    const Index tokens = rows.shape()[0], columns = rows.shape()[1];
    Tensor result({tokens, 13});
    Index string_number = 0;
    for (const Index head : {0, 1}) {
      const dense::Matrix u = unitary(head);
      for (const PauliString& string : strings[static_cast<std::size_t>(head)]) {
        const dense::Matrix p = dense::pauli_string(string.text());
        for (Index t = 0; t < tokens; ++t) {
          dense::Vector x(static_cast<std::size_t>(circuit.dimension()));
          for (Index k = 0; k < columns; ++k) x[static_cast<std::size_t>(k)] = double(rows[t * columns + k]);
          const dense::Vector psi = u * x;
          const double norm = dense::inner(x, x).real(), value = dense::inner(psi, p * psi).real();
          result[t * 13 + string_number] = static_cast<Real>(norm == 0 ? 0 : value / norm);
        }
        ++string_number;
      }
    }
    return result;
  }
};

/// NaN, if any is, counts as infinite.
double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
  }
  return largest;
}

Tensor random_rows(Random& random, Index tokens, Index columns) {
  Tensor rows({tokens, columns});
  for (Real& x : rows.values()) x = static_cast<Real>(random.normal());
  return rows;
}

TEST_CASE("Fused circuits measure what dense matrices say, padded inputs and zero rows included") {
  Random random(3, Purpose::tests);
  for (int wires = 1; wires <= 5; ++wires) {
    const Bank bank(random, wires);
    const Fused fused = bank.fused();
    const Index dimension = bank.circuit.dimension();
    for (const Index tokens : {Index{0}, Index{1}, lane_count + 1, Index{130}}) {
      for (const Index columns : {dimension, dimension / 2 + 1}) {
        Tensor rows = random_rows(random, tokens, columns);
        if (tokens > 1) std::fill_n(rows.data() + columns, columns, Real(0));
        const Tensor out = fused.measure(rows);
        REQUIRE(out.shape() == Shape{tokens, 13});
        INFO(wires << " wires, " << tokens << " tokens of " << columns << " numbers");
        CHECK(largest_difference(out, bank.expectations(rows)) < tolerance);
        for (Index m = 0; tokens > 1 && m < 13; ++m) CHECK(out[13 + m] == 0);
      }
    }
  }
}

TEST_CASE("A fused token has the same bits wherever it stands") {
  Random random(5, Purpose::tests);
  for (const int wires : {3, 4, 5}) {
    const Bank bank(random, wires);
    const Fused fused = bank.fused();
    const Tensor rows = random_rows(random, lane_count + 2, bank.circuit.dimension());
    const Tensor all = fused.measure(rows);
    for (const Index t : {Index{0}, lane_count - 1, lane_count + 1}) {
      const Tensor alone = fused.measure(rows.part(t * rows.shape()[1], {1, rows.shape()[1]}));
      INFO(wires << " wires, token " << t);
      CHECK(std::equal(alone.values().begin(), alone.values().end(), all.data() + t * 13));
    }
  }
}

TEST_CASE("Fused circuits keep their angles, and know them bit by bit") {
  Random random(6, Purpose::tests);
  Bank bank(random, 4);
  const Fused fused = bank.fused();
  const Tensor rows = random_rows(random, 3, 16), before = fused.measure(rows), angles = bank.angles.clone();
  CHECK(fused.has(angles));
  bank.angles[5] = std::nextafter(bank.angles[5], Real(9));
  CHECK_FALSE(fused.has(bank.angles));
  bank.angles.fill(0);
  CHECK(largest_difference(fused.measure(rows), before) == 0);
  CHECK(fused.has(angles));
  CHECK_FALSE(fused.has(angles.reshape({1, -1})));
}

TEST_CASE("Fused circuits refuse shapes that disagree") {
  Random random(4, Purpose::tests);
  const Bank bank(random, 2);
  CHECK_THROWS_AS(bank.fused().measure(Tensor({3, 5})), Error);
}

}  // namespace fused_test
