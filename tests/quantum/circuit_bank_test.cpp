// Banks of circuits: the three kernels agree in values, the two that train in gradients, and all of them
// with dense matrices.
#include "quantum/circuit_bank.hpp"

#include <cmath>
#include <optional>
#include <thread>

#include "autograd/backward.hpp"
#include "autograd/operations.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

using namespace qisa;

namespace circuit_bank_test {

constexpr bool is_double = sizeof(Real) == 8;
constexpr double tolerance = is_double ? 1e-12 : 2e-5;

Tensor random_tensor(Random& random, const Shape& shape) {
  Tensor tensor(shape);
  for (Real& value : tensor.values()) value = static_cast<Real>(2 * random.normal());
  return tensor;
}

/// A random circuit with a set of angles and of strings for each head, and inputs, of which one is zero.
struct Setup {
  Circuit circuit;
  std::vector<std::vector<PauliString>> strings;
  Tensor angles, rows, seed;

  Setup(Random& random, int wires, int heads, Index tokens, Index width) : circuit(wires) {
    for (int i = 0; i < 12; ++i) {
      const Gate gate = static_cast<Gate>(random.below(wires == 1 ? 9 : 15));
      const int wire = static_cast<int>(random.below(wires));
      has_two_wires(gate) ? circuit.add(gate, wire, (wire + 1) % wires) : circuit.add(gate, wire);
    }
    circuit.add(Gate::RY, 0);
    Index count = 0;
    for (int head = 0; head < heads; ++head) {
      auto& own = strings.emplace_back();
      for (int m = 0; m < 3 + head; ++m) {
        std::string text;
        for (int wire = 0; wire < wires; ++wire) text += "IXYZ"[random.below(4)];
        own.emplace_back(text);
      }
      count += 3 + head;
    }
    angles = random_tensor(random, {heads, circuit.angles()});
    rows = random_tensor(random, {tokens, width});
    if (tokens > 1) std::fill_n(rows.data() + width, width, Real(0));
    seed = random_tensor(random, {tokens, count});
  }
};

struct Result {
  Tensor values, angles, rows;  // expectation values, and the gradients of seed times them
};

Result measure(const Setup& s, CircuitKernel kernel) {
  const CircuitBank bank(s.circuit, s.strings);
  const Variable angles = Variable::leaf(s.angles), rows = Variable::leaf(s.rows);
  const Variable values = bank.measure(angles, rows, kernel);
  backward(values, s.seed);
  return {values.value(), angles.gradient(), rows.gradient()};
}

/// The largest difference; infinite when shapes differ or an entry is not a number.
double distance(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return INFINITY;
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
  }
  return largest;
}

/// Expectation values from Kronecker products.
Tensor dense_values(const Setup& s) {
  Tensor result(s.seed.shape());
  const Index width = s.rows.shape()[1];
  for (Index t = 0; t < s.rows.shape()[0]; ++t) {
    dense::Vector x(static_cast<std::size_t>(s.circuit.dimension()));
    for (Index i = 0; i < width; ++i) x[static_cast<std::size_t>(i)] = static_cast<double>(s.rows[t * width + i]);
    const double norm = std::sqrt(dense::inner(x, x).real());
    Index column = 0;
    for (std::size_t head = 0; head < s.strings.size(); ++head) {
      dense::Vector psi = x;
      for (const Operation& operation : s.circuit.operations()) {
        const Index place = static_cast<Index>(head) * s.circuit.angles() + operation.angle;
        const double angle = operation.angle < 0 ? 0 : static_cast<double>(s.angles[place]);
        const std::vector<int> wires =
            operation.control < 0 ? std::vector{operation.target} : std::vector{operation.control, operation.target};
        psi = dense::gate(s.circuit.wires(), gate_name(operation.gate), wires, angle) * psi;
      }
      for (const PauliString& string : s.strings[head]) {
        const double value = dense::inner(psi, dense::pauli_string(string.text()) * psi).real();
        result[t * result.shape()[1] + column++] = static_cast<Real>(norm == 0 ? 0 : value / (norm * norm));
      }
    }
  }
  return result;
}

TEST_CASE("The kernels of a bank agree in values and gradients") {
  Random random(1, Purpose::tests);
  for (int wires = 1; wires <= 4; ++wires) {
    for (const int heads : {1, 3}) {
      for (const Index tokens : {1, 5, 37}) {
        const Index width = (Index{1} << wires) - (wires > 1 && tokens == 5);  // padded once
        const Setup s(random, wires, heads, tokens, width);
        INFO(wires << " wires, " << heads << " heads, " << tokens << " tokens of " << width << " numbers");
        const Result stepwise = measure(s, CircuitKernel::stepwise), adjoint = measure(s, CircuitKernel::adjoint);
        const CircuitBank bank(s.circuit, s.strings);
        const Tensor expected = dense_values(s);
        CHECK(distance(stepwise.values, expected) < tolerance);
        CHECK(distance(adjoint.values, expected) < tolerance);
        CHECK(distance(bank.measure(Variable(s.angles), Variable(s.rows)).value(), expected) < tolerance);
        CHECK(distance(adjoint.rows, stepwise.rows) < 50 * tolerance);
        CHECK(distance(adjoint.angles, stepwise.angles) < 50 * tolerance);
        double largest = 0;
        for (const Real value : stepwise.angles.values()) largest = std::max(largest, std::abs(double(value)));
        CHECK(largest > 0.01);  // agreement in zeros would say nothing
      }
    }
  }
}

TEST_CASE("A bank gives the gradient of its angles with constant rows, and of its rows with constant angles") {
  Random random(2, Purpose::tests);
  const Setup s(random, 3, 2, 6, 8);
  const CircuitBank bank(s.circuit, s.strings);
  const Result both = measure(s, CircuitKernel::stepwise);
  for (const CircuitKernel kernel : {CircuitKernel::stepwise, CircuitKernel::adjoint}) {
    const Variable angles = Variable::leaf(s.angles), rows = Variable::leaf(s.rows);
    backward(bank.measure(angles, Variable(s.rows), kernel), s.seed);
    backward(bank.measure(Variable(s.angles), rows, kernel), s.seed);
    CHECK(distance(angles.gradient(), both.angles) < 50 * tolerance);
    CHECK(distance(rows.gradient(), both.rows) < 50 * tolerance);
  }
}

TEST_CASE("A gradient does not need the bank: another one in its place changes nothing") {
  Random random(3, Purpose::tests);
  const Setup s(random, 3, 2, 18, 8), other(random, 2, 3, 4, 4);
  for (const CircuitKernel kernel : {CircuitKernel::stepwise, CircuitKernel::adjoint, CircuitKernel::fused}) {
    const Variable angles = Variable::leaf(s.angles), rows = Variable::leaf(s.rows);
    std::optional<CircuitBank> bank(std::in_place, s.circuit, s.strings);
    const Variable values = bank->measure(angles, rows, kernel);
    bank.emplace(other.circuit, other.strings);
    backward(values, s.seed);
    const Result expected = measure(s, kernel);
    INFO("kernel " << static_cast<int>(kernel));
    CHECK(distance(angles.gradient(), expected.angles) == 0);
    CHECK(distance(rows.gradient(), expected.rows) == 0);
  }
}

TEST_CASE("A bank asked for fused circuits trains by the adjoint method, and measures whatever angles it is given") {
  Random random(4, Purpose::tests);
  for (const int wires : {3, 4}) {
    Setup s(random, wires, 2, 19, Index{1} << wires);
    const Result fused = measure(s, CircuitKernel::fused), adjoint = measure(s, CircuitKernel::adjoint);
    CHECK(distance(fused.values, adjoint.values) == 0);
    CHECK(distance(fused.angles, adjoint.angles) == 0);
    CHECK(distance(fused.rows, adjoint.rows) == 0);
    const CircuitBank bank(s.circuit, s.strings);
    const auto values = [&] {
      return bank.measure(Variable(s.angles), Variable(s.rows), CircuitKernel::fused).value();
    };
    for (int step = 0; step < 3; ++step) {
      CHECK(distance(values(), dense_values(s)) < tolerance);
      CHECK(distance(values(), dense_values(s)) < tolerance);                 // with the same angles again
      for (Real& angle : s.angles.values()) angle += static_cast<Real>(0.5);  // in place, as an optimizer does
    }
    const NoGradient none;
    const Variable unrecorded = bank.measure(Variable::leaf(s.angles), Variable::leaf(s.rows), CircuitKernel::fused);
    CHECK_FALSE(unrecorded.requires_gradient());
    CHECK(distance(unrecorded.value(), dense_values(s)) < tolerance);
  }
}

TEST_CASE("Threads may share a bank, each with angles of its own") {
  Random random(5, Purpose::tests);
  const Setup s(random, 4, 2, 17, 16);
  const CircuitBank bank(s.circuit, s.strings);
  std::vector<Tensor> angles, results(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) angles.push_back(random_tensor(random, s.angles.shape()));
  const auto values = [&](std::size_t i) {
    return bank.measure(Variable(angles[i]), Variable(s.rows), CircuitKernel::fused).value();
  };
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int repeat = 0; repeat < 50; ++repeat) results[i] = values(i).clone();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < 4; ++i) CHECK(distance(results[i], values(i)) == 0);
}

TEST_CASE("Rows of any size are encoded by their direction") {
  const CircuitBank bank(qisa_circuit(4), std::vector<std::vector<PauliString>>{{PauliString("XZII")}});
  Random random(7, Purpose::tests);
  const Tensor angles = random_tensor(random, {1, 12}), rows = random_tensor(random, {3, 16});
  const auto measured = [&](const Tensor& given, CircuitKernel kernel) {
    const Variable x = Variable::leaf(given);
    const NoGradient fused_may_run;
    return bank.measure(Variable(angles), x, kernel).value();
  };
  for (const CircuitKernel kernel : {CircuitKernel::stepwise, CircuitKernel::adjoint, CircuitKernel::fused}) {
    for (const int exponent : {-100, -70, -40, 40, 70, 100}) {  // squares of 2^-100 and 2^70 are beyond a float
      CAPTURE(exponent);
      Tensor scaled = rows.clone();  // the middle row only: its neighbours stay as they are
      for (Index i = 16; i < 32; ++i) scaled[i] = std::ldexp(rows[i], exponent);
      CHECK(distance(measured(scaled, kernel), measured(rows, kernel)) == 0);
      if (kernel == CircuitKernel::fused) continue;
      const Variable x = Variable::leaf(rows), y = Variable::leaf(scaled);
      for (const Variable& input : {x, y}) backward(sum(bank.measure(Variable(angles), input, kernel)));
      Tensor expected = x.gradient().clone(), found = y.gradient().clone();
      for (Index i = 16; i < 32; ++i) found[i] = std::ldexp(found[i], exponent);
      CHECK(distance(found, expected) == 0);
    }
  }
}

TEST_CASE("A bank refuses strings and inputs that do not fit") {
  const std::vector<std::vector<PauliString>> strings = {{PauliString("XZ")}};
  CHECK_THROWS_AS(CircuitBank(qisa_circuit(3), strings), Error);
  CHECK_THROWS_AS(CircuitBank(qisa_circuit(2), std::vector<std::vector<PauliString>>{{}}), Error);
  const CircuitBank bank(qisa_circuit(2), strings);
  const Variable angles(Tensor::zeros({1, 6})), rows(Tensor::full({2, 4}, 1));
  for (const CircuitKernel kernel : {CircuitKernel::stepwise, CircuitKernel::adjoint, CircuitKernel::fused}) {
    CHECK_THROWS_AS(bank.measure(Variable(Tensor::zeros({2, 6})), rows, kernel), Error);
    CHECK_THROWS_AS(bank.measure(Variable(Tensor::zeros({1, 5})), rows, kernel), Error);
    CHECK_THROWS_AS(bank.measure(angles, Variable(Tensor::full({2, 5}, 1)), kernel), Error);
  }
}

}  // namespace circuit_bank_test
