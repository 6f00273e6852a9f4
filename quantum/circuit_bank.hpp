// A bank of circuits: one circuit with several sets of angles and of Pauli strings, all reading the same
// input; the heads of an attention layer. And the choice of the kernel that runs it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "autograd/variable.hpp"
#include "quantum/circuit.hpp"
#include "quantum/pauli.hpp"

namespace qisa {

/// All kernels give the same values up to rounding, and all are differentiable.
enum class CircuitKernel {
  stepwise,  // gate after gate, each an operation of the graph (stepwise.hpp)
  adjoint,   // the whole bank in blocks of tokens, gradient by the adjoint method (adjoint.hpp)
  fused,     // the same; where no gradient is wanted, what depends on the angles alone is computed once (fused.hpp)
};

class CircuitBank {
 public:
  /// `strings` are measured, one list for each circuit of the bank. Throws when a list is empty or a
  /// string has not as many characters as the circuit has wires.
  CircuitBank(Circuit circuit, std::span<const std::vector<PauliString>> strings);

  const Circuit& circuit() const { return circuit_; }
  /// Number of circuits in the bank.
  Index size() const { return std::ssize(strings_); }

  /// Expectation values: rows [tokens, width], width <= 2^wires, are amplitude-encoded; angles are
  /// [size(), circuit().angles()] in radians; the result is [tokens, strings of all circuits], those of circuit 0
  /// first. A row of zeros measures 0. Threads may share a bank.
  Variable measure(const Variable& angles, const Variable& rows, CircuitKernel kernel = CircuitKernel::fused) const;

 private:
  struct Fast;

  Variable measure_stepwise(const Variable& angles, const Variable& rows) const;

  Circuit circuit_;
  std::vector<std::vector<PauliString>> strings_;
  std::shared_ptr<Fast> fast_;  // what adjoint.hpp and fused.hpp run
};

}  // namespace qisa
