// The fast circuit kernel against dense matrices; its gradient against finite differences, the
// parameter-shift rule and the textbook's definition.
#include "quantum/fast/adjoint.hpp"

#include <cstring>

#include "quantum/fast/program.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

using namespace qisa;

namespace adjoint_test {

constexpr bool is_double = sizeof(Real) == 8;
constexpr double tolerance = is_double ? 1e-12 : 5e-6;

Tensor random_tensor(Random& random, const Shape& shape, double scale = 1) {
  Tensor tensor(shape);
  for (Real& value : tensor.values()) value = static_cast<Real>(scale * random.normal());
  return tensor;
}

/// Gates of every kind in random order on random wires.
Circuit random_circuit(Random& random, int wires, int gates) {
  Circuit circuit(wires);
  for (int i = 0; i < gates; ++i) {
    const Gate gate = static_cast<Gate>(random.below(wires == 1 ? 9 : 15));
    const int wire = static_cast<int>(random.below(wires));
    if (has_two_wires(gate)) {
      circuit.add(gate, wire, (wire + 1 + static_cast<int>(random.below(wires - 1))) % wires);
    } else {
      circuit.add(gate, wire);
    }
  }
  return circuit;
}

/// A bank of circuits with random angles, strings (X, Y and Z frequent, some repeated) and inputs.
struct Bank {
  Circuit circuit;
  std::vector<std::vector<PauliString>> strings;
  BankProgram program;
  Tensor angles, rows, weights;

  Bank(Random& random, Circuit form, Index heads, Index tokens, Index columns)
      : circuit(std::move(form)), strings(draw(random, heads)), program(circuit, strings) {
    angles = random_tensor(random, {heads, circuit.angles()}, 2);
    rows = random_tensor(random, {tokens, columns});
    weights = random_tensor(random, {tokens, program.strings});
  }

  std::vector<std::vector<PauliString>> draw(Random& random, Index heads) const {
    std::vector<std::vector<PauliString>> result;
    for (Index h = 0; h < heads; ++h) {
      std::vector<PauliString>& drawn = result.emplace_back();
      for (Index m = 0; m < 5 + h; ++m) {
        std::string text;
        for (int wire = 0; wire < circuit.wires(); ++wire) text += "IXYZ"[random.below(4)];
        drawn.emplace_back(text);
      }
      drawn.push_back(drawn.front());
    }
    return result;
  }

  Tensor measure() const { return measure_circuits(program, program.bind(angles), rows); }

  /// sum of weights times expectations, in double.
  double loss() const {
    const Tensor out = measure();
    double sum = 0;
    for (Index i = 0; i < out.size(); ++i) sum += static_cast<double>(out[i]) * static_cast<double>(weights[i]);
    return sum;
  }

  struct Gradients {
    Tensor rows, angles;
  };
  Gradients gradients() const {
    Gradients result{Tensor::zeros(rows.shape()), Tensor::zeros(angles.shape())};
    measure_circuits_backward(program, angles, rows, weights, &result.rows, &result.angles);
    return result;
  }
};

dense::Matrix dense_circuit(const Circuit& circuit, const Real* angles) {
  dense::Matrix total = dense::identity(std::size_t{1} << circuit.wires());
  for (const Operation& operation : circuit.operations()) {
    const double angle = operation.angle < 0 ? 0 : static_cast<double>(angles[operation.angle]);
    const std::vector<int> on =
        operation.control < 0 ? std::vector{operation.target} : std::vector{operation.control, operation.target};
    total = dense::gate(circuit.wires(), gate_name(operation.gate), on, angle) * total;
  }
  return total;
}

/// The largest error of all expectations of the bank, by dense matrices.
double error_of_expectations(const Bank& bank) {
  const Tensor out = bank.measure();
  const Index tokens = bank.rows.shape()[0], columns = bank.rows.shape()[1], count = out.shape()[1];
  double largest = 0;
  Index column = 0;
  for (std::size_t h = 0; h < bank.strings.size(); ++h) {
    const dense::Matrix u =
        dense_circuit(bank.circuit, bank.angles.data() + static_cast<Index>(h) * bank.circuit.angles());
    for (const PauliString& string : bank.strings[h]) {
      const dense::Matrix pauli = dense::pauli_string(string.text());
      for (Index t = 0; t < tokens; ++t) {
        dense::Vector x(u.size);
        for (Index k = 0; k < columns; ++k)
          x[static_cast<std::size_t>(k)] = static_cast<double>(bank.rows[t * columns + k]);
        const double norm = dense::inner(x, x).real();
        const dense::Vector psi = u * x;
        const double expected = dense::inner(psi, pauli * psi).real() / norm;
        largest = std::max(largest, std::abs(expected - static_cast<double>(out[t * count + column])));
      }
      ++column;
    }
  }
  CHECK(column == count);
  return largest;
}

/// The derivative with respect to an angle of a rotation without control: (L(angle + pi/2) - L(angle - pi/2)) / 2,
/// exact.
double parameter_shift(Bank bank, Index i) {
  bank.angles = bank.angles.clone();
  const Real angle = bank.angles[i];
  bank.angles[i] = angle + static_cast<Real>(std::numbers::pi / 2);
  const double above = bank.loss();
  bank.angles[i] = angle - static_cast<Real>(std::numbers::pi / 2);
  return (above - bank.loss()) / 2;
}

TEST_CASE("Circuits of all gates measure what dense matrices do, for any number of tokens") {
  Random random(1, Purpose::tests);
  for (int wires = 1; wires <= 5; ++wires) {
    const Index dimension = Index{1} << wires;
    for (const Index tokens : {Index{1}, lane_count - 1, lane_count, lane_count + 1}) {
      const Index columns = dimension - random.below(dimension / 2);
      const Bank bank(random, random_circuit(random, wires, 12 * wires), 2, tokens, columns);
      INFO(wires << " wires, " << tokens << " tokens of " << columns << " numbers");
      CHECK(error_of_expectations(bank) < tolerance);
    }
  }
}

TEST_CASE("Every gate on its own, first or after another, measures what dense matrices do") {
  Random random(2, Purpose::tests);
  for (int g = 0; g < 15; ++g) {
    const Gate gate = static_cast<Gate>(g);
    for (const bool first : {true, false}) {
      Circuit circuit(3);
      if (!first) circuit.add(Gate::RX, 0).add(Gate::RY, 1).add(Gate::RZ, 2);
      has_two_wires(gate) ? circuit.add(gate, 2, 0) : circuit.add(gate, 1);
      INFO(gate_name(gate) << (first ? " first" : " later"));
      CHECK(error_of_expectations(Bank(random, circuit, 1, 3, 8)) < tolerance);
    }
  }
}

TEST_CASE("The paper's circuit measures what dense matrices do") {
  Random random(3, Purpose::tests);
  for (const int wires : {1, 2, 4, 6}) {
    CHECK(error_of_expectations(Bank(random, qisa_circuit(wires), 3, 5, Index{1} << wires)) < tolerance);
  }
}

TEST_CASE("Gradients of rows and angles are those of central differences") {
  // In float, differences of the loss are too coarse for a small step: the double flavour is the sharp one.
  const double step = is_double ? 1e-5 : 2e-2, allowed = is_double ? 1e-7 : 2e-2;
  Random random(4, Purpose::tests);
  for (int wires = 1; wires <= 4; ++wires) {
    const Index dimension = Index{1} << wires;
    for (const bool paper : {true, false}) {
      const Circuit circuit = paper ? qisa_circuit(wires) : random_circuit(random, wires, 10 * wires);
      Bank bank(random, circuit, 2, 3, dimension - random.below(dimension / 2));
      const Bank::Gradients gradients = bank.gradients();
      const auto check_against_differences = [&](Tensor& values, const Tensor& gradient) {
        double largest = 0;
        for (Index i = 0; i < values.size(); ++i) {
          const Real old = values[i];
          values[i] = old + static_cast<Real>(step);
          const double above = static_cast<double>(values[i]), loss_above = bank.loss();
          values[i] = old - static_cast<Real>(step);
          const double below = static_cast<double>(values[i]), loss_below = bank.loss();
          values[i] = old;
          const double expected = (loss_above - loss_below) / (above - below);
          largest = std::max(largest, std::abs(expected - static_cast<double>(gradient[i])) / (1 + std::abs(expected)));
        }
        return largest;
      };
      INFO(wires << " wires, " << (paper ? "the paper's circuit" : "random circuit"));
      CHECK(check_against_differences(bank.angles, gradients.angles) < allowed);
      CHECK(check_against_differences(bank.rows, gradients.rows) < allowed);
    }
  }
}

TEST_CASE("Gradients of RX, RY and RZ angles follow the parameter-shift rule") {
  Random random(5, Purpose::tests);
  Circuit circuit = qisa_circuit(5);
  circuit.add(Gate::RZ, 3).add(Gate::CZ, 3, 0).add(Gate::RX, 3).add(Gate::SWAP, 1, 4).add(Gate::RZ, 4);
  circuit.add(Gate::H, 4).add(Gate::RX, 4).add(Gate::T, 4).add(Gate::RY, 4);
  Bank bank(random, circuit, 2, lane_count + 3, 32);
  const Tensor gradient = bank.gradients().angles;
  for (Index i = 0; i < bank.angles.size(); ++i) {
    CHECK(static_cast<double>(gradient[i]) == Approx(parameter_shift(bank, i)).margin(is_double ? 1e-11 : 2e-4));
  }
}

TEST_CASE("Angle gradients of a large circuit follow the parameter-shift rule") {
  Random random(6, Purpose::tests);
  Bank bank(random, qisa_circuit(12), 1, 2, 3000);
  const Tensor gradient = bank.gradients().angles;
  for (const Index i : {0, 11, 12, 23, 24, 35}) {
    CHECK(static_cast<double>(gradient[i]) == Approx(parameter_shift(bank, i)).margin(is_double ? 1e-11 : 2e-4));
  }
}

TEST_CASE("Rotations by pi, whose cosines vanish, and circuits of very many rotations are exact too") {
  // Turns leave out cosines (gate_kernels.hpp): here their product is 0, or would underflow.
  Random random(13, Purpose::tests);
  for (const bool deep : {false, true}) {
    Circuit circuit = qisa_circuit(3);
    for (int i = 0; deep && i < 400; ++i) {
      circuit.add(std::array{Gate::RX, Gate::RY, Gate::RZ}[i % 3], i % 2).add(Gate::CNOT, i % 2, 2);
    }
    Bank bank(random, circuit, 1, 2, 8);
    for (Index i = 0; i < bank.angles.size(); ++i) {
      bank.angles[i] = static_cast<Real>(deep ? random.uniform(2, 3) : std::numbers::pi);
    }
    INFO((deep ? "deep" : "by pi"));
    const double allowed = deep ? 20 * tolerance : tolerance;
    CHECK(error_of_expectations(bank) < allowed);
    const Bank::Gradients gradients = bank.gradients();
    for (Index i = 0; i < bank.angles.size(); i += deep ? 40 : 1) {
      CHECK(static_cast<double>(gradients.angles[i]) == Approx(parameter_shift(bank, i))
                                                            .margin(is_double ? 1e-11
                                                                    : deep    ? 2e-3
                                                                              : 2e-4));
    }
  }
}

TEST_CASE("A zero row measures 0 and has gradient 0") {
  Random random(7, Purpose::tests);
  Bank bank(random, qisa_circuit(3), 1, 2, 8);
  std::fill_n(bank.rows.data(), 8, Real(0));
  const Tensor out = bank.measure();
  const Bank::Gradients both = bank.gradients();
  for (Index m = 0; m < out.shape()[1]; ++m) CHECK(out[m] == 0);
  for (Index k = 0; k < 8; ++k) CHECK(both.rows[k] == 0);
  // The angles' gradient is that of the other row alone.
  bank.rows = bank.rows.part(8, {1, 8});
  bank.weights = bank.weights.part(out.shape()[1], {1, out.shape()[1]});
  const Tensor alone = bank.gradients().angles;
  for (Index i = 0; i < alone.size(); ++i) CHECK(both.angles[i] == alone[i]);
}

TEST_CASE("The length of a row does not matter, and its gradient is orthogonal to it") {
  Random random(8, Purpose::tests);
  Bank bank(random, qisa_circuit(3), 1, 1, 7);
  const Tensor out = bank.measure(), gradient = bank.gradients().rows;
  double dot = 0;
  for (Index k = 0; k < 7; ++k) dot += static_cast<double>(gradient[k] * bank.rows[k]);
  CHECK(dot == Approx(0).margin(tolerance));
  for (Real& x : bank.rows.values()) x *= 37;
  const Tensor longer = bank.measure();
  for (Index m = 0; m < out.size(); ++m) CHECK(longer[m] == Approx(out[m]).margin(tolerance));
}

TEST_CASE("A token's results are the same bits wherever it stands in a batch") {
  Random random(9, Purpose::tests);
  Bank bank(random, qisa_circuit(4), 2, 2 * lane_count + 5, 16);
  const Tensor all = bank.measure(), gradient = bank.gradients().rows;
  const Index strings = all.shape()[1], tokens = bank.rows.shape()[0];
  Bank tail = bank;
  for (const Index first : {Index{1}, lane_count - 2, lane_count, 2 * lane_count + 1}) {
    tail.rows = bank.rows.part(first * 16, {tokens - first, 16});
    tail.weights = bank.weights.part(first * strings, {tokens - first, strings});
    const Tensor out = tail.measure(), grad = tail.gradients().rows;
    CHECK(std::memcmp(out.data(), all.data() + first * strings, out.values().size_bytes()) == 0);
    CHECK(std::memcmp(grad.data(), gradient.data() + first * 16, grad.values().size_bytes()) == 0);
  }
}

TEST_CASE("Gradients are added to what is there, and each can be left out") {
  Random random(10, Purpose::tests);
  const Bank bank(random, qisa_circuit(3), 2, lane_count + 2, 6);
  const Bank::Gradients both = bank.gradients();
  Tensor rows = Tensor::full(bank.rows.shape(), 5), angles = Tensor::full(bank.angles.shape(), 7);
  const auto backward = [&](Tensor* to_rows, Tensor* to_angles) {
    measure_circuits_backward(bank.program, bank.angles, bank.rows, bank.weights, to_rows, to_angles);
  };
  backward(nullptr, nullptr);
  backward(&rows, nullptr);
  backward(nullptr, &angles);
  for (Index i = 0; i < rows.size(); ++i) CHECK(rows[i] == Approx(both.rows[i] + 5));
  for (Index i = 0; i < angles.size(); ++i) CHECK(angles[i] == Approx(both.angles[i] + 7));
}

TEST_CASE("No tokens, no circuits and no gates give empty or plain results") {
  Random random(11, Purpose::tests);
  Bank bank(random, qisa_circuit(2), 1, 0, 4);
  CHECK(bank.measure().shape() == Shape{0, 6});
  CHECK(bank.gradients().angles.values().front() == 0);
  const Tensor none = measure_circuits(BankProgram(qisa_circuit(2), {}), {}, Tensor::full({3, 4}, 1));
  CHECK(none.shape() == Shape{3, 0});
  CHECK(error_of_expectations(Bank(random, Circuit(2), 1, 3, 4)) < tolerance);
}

TEST_CASE("Shapes that disagree are refused by name") {
  Random random(12, Purpose::tests);
  const Bank bank(random, qisa_circuit(2), 1, 3, 4);
  CHECK_THROWS_WITH(measure_circuits(bank.program, bank.program.bind(bank.angles), Tensor({3, 5})),
                    "inputs [3, 5] must be [T, C] with C at most 4, the amplitudes of 2 wires");
  const std::vector<std::vector<PauliString>> wrong = {{PauliString("XYZ")}};
  CHECK_THROWS_WITH(BankProgram(bank.circuit, wrong), "Pauli string \"XYZ\" has 3 characters for 2 wires");
}

}  // namespace adjoint_test
