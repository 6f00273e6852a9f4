// OpenQASM: exact text, and the text read back by a small interpreter that knows only what the
// OpenQASM 2.0 paper (arXiv 1707.03429) and qelib1.inc say about each gate.
#include "quantum/text/openqasm.hpp"

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <set>
#include <sstream>

#include "tensor/error.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

namespace openqasm_test {

using namespace qisa;
using Catch::Matchers::Message;
using std::numbers::pi;

/// One gate line of a program: name, angle (0 without one), wires.
struct Line {
  std::string gate;
  double angle;
  std::vector<int> wires;
};

/// Reads "name(angle) q[i],q[j];", where the angle and the second wire may be missing.
Line parse_line(const std::string& text) {
  CAPTURE(text);
  const std::size_t space = text.find(' ');
  REQUIRE(space != std::string::npos);
  const std::string head = text.substr(0, space);
  const std::size_t parenthesis = head.find('(');
  Line line{head.substr(0, parenthesis), 0, {}};

  static const std::set<std::string> rotations = {"rx", "ry", "rz", "crx", "cry", "crz"};
  REQUIRE((parenthesis != std::string::npos) == (rotations.count(line.gate) == 1));
  if (parenthesis != std::string::npos) {
    const std::string real = head.substr(parenthesis + 1, head.size() - parenthesis - 2);
    REQUIRE(head.back() == ')');
    REQUIRE(real.find_first_not_of("+-.e0123456789") == std::string::npos);
    REQUIRE(real.find('.') != std::string::npos);  // the grammar's reals have a decimal point
    char* end = nullptr;
    line.angle = std::strtod(real.c_str(), &end);
    REQUIRE(*end == '\0');
  }

  std::istringstream wires(text.substr(space));
  for (char next = ','; next == ',';) {
    char q = 0, open = 0, close = 0;
    int wire = -1;
    REQUIRE((wires >> q >> open >> wire >> close >> next));
    REQUIRE(std::string{q, open, close} == "q[]");
    line.wires.push_back(wire);
    if (next != ',') REQUIRE(next == ';');
  }
  REQUIRE(wires.peek() == EOF);
  return line;
}

/// The gate lines of a program; fails on anything else after the header.
std::vector<Line> parse(const std::string& program, int wires) {
  std::istringstream lines(program);
  std::string line;
  REQUIRE((std::getline(lines, line) && line == "OPENQASM 2.0;"));
  REQUIRE((std::getline(lines, line) && line == "include \"qelib1.inc\";"));
  while (std::getline(lines, line) && line.rfind("//", 0) == 0) continue;
  REQUIRE(line == "qreg q[" + std::to_string(wires) + "];");

  std::vector<Line> result;
  while (std::getline(lines, line)) result.push_back(parse_line(line));
  return result;
}

/// U(theta, phi, lambda) = Rz(phi) Ry(theta) Rz(lambda), the paper's primitive on one qubit.
dense::Matrix u(double theta, double phi, double lambda) {
  const double c = std::cos(theta / 2), s = std::sin(theta / 2);
  const double sum = (phi + lambda) / 2, difference = (phi - lambda) / 2;
  return {2,
          {std::polar(c, -sum), -std::polar(1.0, -difference) * s, std::polar(1.0, difference) * s,
           std::polar(1.0, sum) * c}};
}

/// The gate as qelib1.inc builds it from U and CX.
dense::Matrix interpret(const Line& line, int wires) {
  const double angle = line.angle;
  const std::map<std::string, dense::Matrix> one_qubit = {
      {"h", u(pi / 2, 0, pi)}, {"x", u(pi, 0, pi)},    {"y", u(pi, pi / 2, pi / 2)},      {"z", u(0, 0, pi)},
      {"s", u(0, 0, pi / 2)},  {"t", u(0, 0, pi / 4)}, {"rx", u(angle, -pi / 2, pi / 2)}, {"ry", u(angle, 0, 0)},
      {"rz", u(0, 0, angle)}};
  const auto on = [&](int wire, const dense::Matrix& matrix) { return dense::on_wires(wires, {{wire, matrix}}); };
  if (const auto found = one_qubit.find(line.gate); found != one_qubit.end()) {
    REQUIRE(line.wires.size() == 1);
    return on(line.wires[0], found->second);
  }

  REQUIRE(line.wires.size() == 2);
  const int a = line.wires[0], b = line.wires[1];
  const dense::Matrix cx = dense::controlled(wires, a, b, dense::Matrix(2, {0, 1, 1, 0}));
  const dense::Matrix h = on(b, u(pi / 2, 0, pi));
  const dense::Matrix crz = cx * on(b, u(0, 0, -angle / 2)) * cx * on(b, u(0, 0, angle / 2));
  if (line.gate == "cx") return cx;
  if (line.gate == "cz") return h * cx * h;
  if (line.gate == "swap") return cx * dense::controlled(wires, b, a, dense::Matrix(2, {0, 1, 1, 0})) * cx;
  if (line.gate == "crx") return h * crz * h;
  if (line.gate == "cry") return cx * on(b, u(-angle / 2, 0, 0)) * cx * on(b, u(angle / 2, 0, 0));
  if (line.gate == "crz") return crz;
  FAIL("qelib1.inc has no gate " << line.gate);
  return cx;
}

/// The matrix of a program; its first gate is the rightmost factor.
dense::Matrix interpret(const std::string& program, int wires) {
  dense::Matrix result = dense::identity(std::size_t{1} << wires);
  for (const Line& line : parse(program, wires)) result = interpret(line, wires) * result;
  return result;
}

/// The distance between unitary matrices a and b after a global phase has made them most alike.
double distance_up_to_phase(const dense::Matrix& a, const dense::Matrix& b) {
  const dense::Complex overlap = dense::inner(a.entries, b.entries) / static_cast<double>(a.size);
  return dense::distance(dense::kronecker(dense::Matrix(1, {overlap}), a), b);
}

TEST_CASE("openqasm: exact text of a small circuit") {
  Circuit circuit(3);
  circuit.add(Gate::H, 0).add(Gate::CNOT, 0, 2).add(Gate::RX, 1).add(Gate::CRZ, 2, 1).add(Gate::RY, 0);
  const std::vector<double> angles = {0.5, -1.25, 3};
  CHECK("\n" + openqasm(circuit, angles) == R"(
OPENQASM 2.0;
include "qelib1.inc";
// Wire k is q[k]. Wire 0 is the most significant bit of a basis index.
qreg q[3];
h q[0];
cx q[0],q[2];
rx(0.5) q[1];
crz(-1.25) q[2],q[1];
ry(3.0) q[0];
)");
}

TEST_CASE("openqasm: each gate, read back, is the gate on the same wires") {
  const std::vector<std::pair<Gate, std::string>> one_wire = {{Gate::H, "H"},   {Gate::X, "X"},   {Gate::Y, "Y"},
                                                              {Gate::Z, "Z"},   {Gate::S, "S"},   {Gate::T, "T"},
                                                              {Gate::RX, "RX"}, {Gate::RY, "RY"}, {Gate::RZ, "RZ"}};
  const std::vector<std::pair<Gate, std::string>> two_wires = {{Gate::CNOT, "CNOT"}, {Gate::CZ, "CZ"},
                                                               {Gate::SWAP, "SWAP"}, {Gate::CRX, "CRX"},
                                                               {Gate::CRY, "CRY"},   {Gate::CRZ, "CRZ"}};
  constexpr double angle = -2.6;
  const auto program = [&](const Circuit& circuit) {
    return openqasm(circuit, std::vector<double>(static_cast<std::size_t>(circuit.angles()), angle));
  };
  for (const auto& [gate, name] : one_wire) {
    CAPTURE(name);
    const dense::Matrix read = interpret(program(Circuit(2).add(gate, 1)), 2);
    CHECK(distance_up_to_phase(read, dense::gate(2, name, {1}, angle)) < 1e-14);
  }
  for (const auto& [gate, name] : two_wires) {
    CAPTURE(name);
    const dense::Matrix read = interpret(program(Circuit(3).add(gate, 2, 0)), 3);
    CHECK(distance_up_to_phase(read, dense::gate(3, name, {2, 0}, angle)) < 1e-14);
  }
}

TEST_CASE("openqasm: a circuit, read back, is the product of its gates in order") {
  Circuit circuit(3);
  circuit.add(Gate::RX, 0).add(Gate::CRY, 0, 2).add(Gate::H, 1).add(Gate::CNOT, 2, 1).add(Gate::RZ, 1);
  const std::vector<double> angles = {0.3, -1.1, 2.9};
  const dense::Matrix expected = dense::gate(3, "RZ", {1}, 2.9) * dense::gate(3, "CNOT", {2, 1}) *
                                 dense::gate(3, "H", {1}) * dense::gate(3, "CRY", {0, 2}, -1.1) *
                                 dense::gate(3, "RX", {0}, 0.3);
  CHECK(distance_up_to_phase(interpret(openqasm(circuit, angles), 3), expected) < 1e-14);
}

TEST_CASE("openqasm: angles read back to the same double") {
  const std::vector<double> angles = {0,
                                      -0.0,
                                      1,
                                      0.1,
                                      pi / 3,
                                      -2 * pi,
                                      1e-5,
                                      1e16,
                                      std::nextafter(1, 2),
                                      1.0 / 3,
                                      1e-300,
                                      -1e300,
                                      12345,
                                      std::numeric_limits<double>::denorm_min()};
  Circuit circuit(1);
  for (std::size_t k = 0; k < angles.size(); ++k) circuit.add(Gate::RY, 0);
  const auto lines = parse(openqasm(circuit, angles), 1);
  REQUIRE(lines.size() == angles.size());
  for (std::size_t k = 0; k < angles.size(); ++k) {
    CAPTURE(k);
    CHECK(lines[k].angle == angles[k]);
    CHECK(std::signbit(lines[k].angle) == std::signbit(angles[k]));
  }
}

TEST_CASE("openqasm: a number with an exponent has a digit after its point") {
  Circuit circuit(1);
  for (int k = 0; k < 5; ++k) circuit.add(Gate::RX, 0);
  const std::string text = openqasm(circuit, std::vector<double>{1e-5, -2e30, 1.5e-7, 100, 0});
  for (const char* line : {"rx(1.0e-05)", "rx(-2.0e+30)", "rx(1.5e-07)", "rx(100.0)", "rx(0.0)"}) {
    CAPTURE(text, line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("openqasm: errors name the numbers that disagree") {
  const Circuit circuit = qisa_circuit(2);
  const std::vector<double> five(5);
  CHECK_THROWS_MATCHES(openqasm(circuit, five), Error, Message("openqasm: the circuit has 6 angles, but 5 were given"));
  const std::vector<double> with_nan = {0, 0, 0, std::nan(""), 0, 0};
  CHECK_THROWS_MATCHES(openqasm(circuit, with_nan), Error,
                       Message("openqasm: angle ry0[1] is nan, not a finite number"));
}

}  // namespace openqasm_test
