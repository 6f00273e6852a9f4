// A bank of circuits: one circuit with several sets of angles and of Pauli strings, all reading the same
// input; the heads of an attention layer. And the choice of the kernel that runs it.
#pragma once

#include <span>
#include <vector>

#include "autograd/variable.hpp"
#include "quantum/circuit.hpp"
#include "quantum/observables.hpp"
#include "quantum/program.hpp"

namespace qisa {

enum class CircuitKernel {
  stepwise,  // gate after gate, each an operation on the tape (stepwise.hpp)
  adjoint,   // the whole bank in blocks of tokens, gradient by the adjoint method (adjoint.hpp)
  fused,     // the total unitary and the transformed observables, for inference (fused.hpp)
};

/// What inference runs by default. Measured on an AVX-512 machine, a model runs 10 % faster by the blocks of
/// adjoint.hpp than by the unitary of fused.hpp with 7 wires, and 5 % slower with 4 (docs/paper.md).
inline constexpr CircuitKernel fastest_forward = CircuitKernel::adjoint;

class CircuitBank {
 public:
  /// `strings` are measured, one list for each circuit of the bank. Throws when a list is empty or a
  /// string has not as many characters as the circuit has wires.
  CircuitBank(Circuit circuit, std::span<const std::vector<PauliString>> strings);

  const Circuit& circuit() const { return circuit_; }
  std::span<const Observables> observables() const { return observables_; }

  /// Expectation values: rows [tokens, width], width <= 2^wires, are amplitude-encoded; angles are
  /// [circuits, circuit().angles()]; the result is [tokens, strings of all circuits], those of circuit 0
  /// first. `kernel` is stepwise or adjoint; both are differentiable.
  Variable measure(const Variable& angles, const Variable& rows, CircuitKernel kernel) const;

 private:
  Variable measure_stepwise(const Variable& angles, const Variable& rows) const;
  Variable measure_adjoint(const Variable& angles, const Variable& rows) const;

  Circuit circuit_;
  Program program_;  // the circuit, as adjoint.hpp runs it
  std::vector<Observables> observables_;
};

}  // namespace qisa
