// A bank of circuits with fixed angles as matrices, for inference: each circuit's total unitary U, computed
// once, and its transformed observables O'_m = U+ P_m U. The paper's "fast branch".
//
// Expectations are measured on psi = U x, one matrix product. As inputs are real they are also quadratic
// forms x^T Re(O') x, one product of all x_i x_j with a matrix; measured, that was slower with any number of
// wires. adjoint.hpp says what a bank is and how rows are encoded; the results agree with
// measure_circuits() but for rounding.
#pragma once

#include <span>
#include <vector>

#include "quantum/circuit.hpp"
#include "quantum/observables.hpp"
#include "tensor/tensor.hpp"

namespace qisa {

class Fused {
 public:
  /// `angles` is [H, circuit.angles()] in radians, `observables` has H entries, laid out for the circuit.
  /// Throws when shapes, wires or layouts disagree.
  Fused(const Circuit& circuit, const Tensor& angles, std::vector<Observables> observables);

  /// Expectation values [T, M] of `rows` [T, C], as measure_circuits(). Throws when C > 2^wires.
  Tensor measure(const Tensor& rows) const;

  /// U of one circuit, psi' = U psi, as planes [2, 2^n, 2^n].
  Tensor unitary(Index circuit) const;
  /// O'_m of one circuit as planes [strings of the circuit, 2, 2^n, 2^n].
  Tensor transformed_observables(Index circuit) const;

 private:
  std::vector<Observables> observables_;
  Index dimension_, strings_ = 0, scratch_size_ = 0;
  std::vector<Index> offsets_;  // where a block holds amplitude k
  Tensor unitaries_;            // [H, 2^n, 2, 2^n]: U x is laid out as a block after the circuit's program
};

}  // namespace qisa
