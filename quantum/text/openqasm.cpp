#include "quantum/text/openqasm.hpp"

#include <cctype>
#include <cmath>

#include "tensor/error.hpp"

namespace qisa {
namespace {

/// The gate's name in qelib1.inc.
std::string qelib_name(Gate gate) {
  if (gate == Gate::CNOT) return "cx";
  std::string lower(gate_name(gate));
  for (char& letter : lower) letter = static_cast<char>(std::tolower(letter));
  return lower;
}

/// As many digits as read back to the same double, and at least one on each side of the point: some readers take
/// "1.e-05" for 1 * e - 5.
std::string decimal(double number) {
  std::string text = fmt::format("{:#}", number);
  if (const auto point = text.find(".e"); point != std::string::npos) text.insert(point + 1, 1, '0');
  return text;
}

}  // namespace

std::string openqasm(const Circuit& circuit, std::span<const double> angles) {
  require(std::ssize(angles) == circuit.angles(), "openqasm: the circuit has {} angles, but {} were given",
          circuit.angles(), angles.size());
  std::string text = fmt::format(
      "OPENQASM 2.0;\n"
      "include \"qelib1.inc\";\n"
      "// Wire k is q[k]. Wire 0 is the most significant bit of a basis index.\n"
      "qreg q[{}];\n",
      circuit.wires());
  for (const Operation& operation : circuit.operations()) {
    text += qelib_name(operation.gate);
    if (has_angle(operation.gate)) {
      const double angle = angles[operation.angle];
      require(std::isfinite(angle), "openqasm: angle {} is {}, not a finite number",
              circuit.angle_name(operation.angle), angle);
      text += fmt::format("({})", decimal(angle));
    }
    text += has_two_wires(operation.gate) ? fmt::format(" q[{}],q[{}];\n", operation.control, operation.target)
                                          : fmt::format(" q[{}];\n", operation.target);
  }
  return text;
}

}  // namespace qisa
