// A bank of circuits: one circuit with several sets of angles and of Pauli strings, all reading the same
// input; the heads of an attention layer. And the choice of the kernel that runs it.
#pragma once

#include <span>
#include <vector>

#include "autograd/variable.hpp"
#include "quantum/circuit.hpp"
#include "quantum/fast/observables.hpp"
#include "quantum/fast/program.hpp"

namespace qisa {

enum class CircuitKernel {
  stepwise,  // gate after gate, each an operation on the tape (stepwise.hpp)
  adjoint,   // the whole bank in blocks of tokens, gradient by the adjoint method (adjoint.hpp)
  fused,     // the same with fixed angles and without gradient, for inference (fused.hpp)
};

class CircuitBank {
 public:
  /// `strings` are measured, one list for each circuit of the bank. Throws when a list is empty or a
  /// string has not as many characters as the circuit has wires.
  CircuitBank(Circuit circuit, std::span<const std::vector<PauliString>> strings);

  const Circuit& circuit() const { return circuit_; }
  const Program& program() const { return program_; }
  std::span<const Observables> observables() const { return observables_; }

  /// Expectation values: rows [tokens, width], width <= 2^wires, are amplitude-encoded; angles are
  /// [circuits, circuit().angles()]; the result is [tokens, strings of all circuits], those of circuit 0
  /// first. `kernel` is stepwise or adjoint; both are differentiable.
  Variable measure(const Variable& angles, const Variable& rows, CircuitKernel kernel) const;

 private:
  Variable measure_stepwise(const Variable& angles, const Variable& rows) const;
  Variable measure_adjoint(const Variable& angles, const Variable& rows) const;

  Circuit circuit_;
  Program program_;  // the circuit, as adjoint.hpp and fused.hpp run it
  std::vector<Observables> observables_;
};

}  // namespace qisa
