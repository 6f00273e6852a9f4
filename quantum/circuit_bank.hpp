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

/// How rows of numbers become the initial states of H circuits of n wires.
enum class Encoding {
  amplitude,  // rows [T, C]: every circuit reads x and begins with pad(x) / |x|; a row of zeros is the zero state
  parts,      // rows [T, H C]: circuit h begins with part h of the row, padded with zeros, whatever its length
};

class CircuitBank {
 public:
  /// `strings` are measured, one list for each circuit of the bank. Throws when a list is empty or a
  /// string has not as many characters as the circuit has wires.
  CircuitBank(Circuit circuit, std::span<const std::vector<PauliString>> strings,
              Encoding encoding = Encoding::amplitude);

  const Circuit& circuit() const { return circuit_; }
  /// Number of circuits in the bank.
  Index size() const { return std::ssize(strings_); }

  /// Expectation values: rows are encoded, at most 2^wires numbers a circuit; angles are
  /// [size(), circuit().angles()] in radians; the result is [tokens, strings of all circuits], those of circuit 0
  /// first. A row of zeros measures 0. Threads may share a bank.
  Variable measure(const Variable& angles, const Variable& rows, CircuitKernel kernel = CircuitKernel::fused) const;
  /// The same of a circuit without angles.
  Variable measure(const Variable& rows, CircuitKernel kernel = CircuitKernel::fused) const {
    return measure(Variable(Tensor({size(), 0})), rows, kernel);
  }

 private:
  struct Fast;

  Variable measure_stepwise(const Variable& angles, const Variable& rows) const;

  Circuit circuit_;
  std::vector<std::vector<PauliString>> strings_;
  std::shared_ptr<Fast> fast_;  // what adjoint.hpp and fused.hpp run
};

/// Pauli strings as quadratic forms v = y^T P y of real vectors: a bank of circuits without a gate, whose states are
/// not normalised. measure(y [tokens, heads * width]) -> [tokens, strings of all heads]: each head measures its own
/// `width` <= 2^wires columns of y, padded with zeros. A string with an odd number of Y is an imaginary, antisymmetric
/// matrix: its form is 0 for every y, and keeps its column of zeros. Throws when there is no string or they differ in
/// length.
///
/// With y = W x the form is x^T (W^T P W) x, and W^T P W can be computed once for inference (the paper's "fast
/// branch"). It does not pay: one product of all x_i x_j with those matrices took three times as long as W x and the
/// strings on it with 4 wires, twelve times with 7.
CircuitBank quadratic_forms(std::span<const std::vector<PauliString>> strings);

}  // namespace qisa
