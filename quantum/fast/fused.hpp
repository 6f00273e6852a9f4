// A bank of circuits with fixed angles, for inference: the paper's "fast branch". What depends on the angles alone is
// computed once.
//
// In the paper that is each circuit's total unitary U and its transformed observables O'_m = U+ P_m U. Here it is U
// with 4 wires, when a token has as many amplitudes as a vector has lanes: a block of inputs is transposed, multiplied
// by U and normalised in registers. With more wires U grows faster than the circuit, and what is kept is the turns of
// its sweeps (program.hpp). Quadratic forms x^T Re(O') x of real inputs take longer than either (docs/performance.md).
#pragma once

#include <memory>
#include <vector>

#include "quantum/fast/adjoint.hpp"

namespace qisa {

class Fused {
 public:
  /// `angles` is [H, program.angles()] in radians.
  Fused(std::shared_ptr<const BankProgram> bank, const Tensor& angles);

  /// Whether these are its angles, bit by bit.
  bool has(const Tensor& angles) const;

  /// Expectation values [T, M] of rows, as measure_circuits().
  Tensor measure(const Tensor& rows) const;

 private:
  std::shared_ptr<const BankProgram> bank_;
  Tensor angles_;
  std::vector<BoundProgram> circuits_;
  std::vector<Tensor> unitaries_;  // with 4 wires each circuit's U [16, 2, 16], its rows in the order of a block
};

}  // namespace qisa
