#include "quantum/quadratic_form.hpp"

namespace qisa {
namespace {

Circuit circuit_for(std::span<const std::vector<PauliString>> strings) {
  require(!strings.empty() && !strings[0].empty(), "quadratic forms need at least one Pauli string");
  return Circuit(strings[0][0].wires());
}

}  // namespace

QuadraticForms::QuadraticForms(std::span<const std::vector<PauliString>> strings)
    : bank_(circuit_for(strings), strings, Encoding::parts) {}

Variable QuadraticForms::measure(const Variable& y, CircuitKernel kernel) const {
  return bank_.measure(Variable(Tensor({bank_.size(), 0})), y, kernel);
}

}  // namespace qisa
