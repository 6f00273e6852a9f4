// A bank of circuits with fixed angles, for inference: the paper's "fast branch". What depends on the angles alone is
// computed once.
//
// In the paper that is each circuit's total unitary U and its transformed observables O'_m = U+ P_m U. Here it is U
// with 4 wires, when a token has as many amplitudes as a vector has lanes: a block of inputs is transposed, multiplied
// by U and normalised in registers. With more wires U grows faster than the circuit, and what is kept is the turns of
// its sweeps (program.hpp). O' is there to be looked at: the quadratic forms x^T Re(O') x of real inputs take longer
// than either (docs/performance.md). adjoint.hpp says what a bank is and how rows are encoded.
#pragma once

#include <span>
#include <vector>

#include "quantum/fast/observables.hpp"
#include "quantum/fast/program.hpp"
#include "tensor/tensor.hpp"

namespace qisa {

class Fused {
 public:
  /// `angles` is [H, program.angles()] in radians, `observables` has H entries, laid out for the program.
  /// Throws when shapes, wires or layouts disagree.
  Fused(Program program, const Tensor& angles, std::span<const Observables> observables);

  /// Expectation values [T, M] of `rows` [T, C], as measure_circuits(). Throws when C > 2^wires.
  Tensor measure(const Tensor& rows) const;

  /// U of one circuit, psi' = U psi, as planes [2, 2^n, 2^n].
  Tensor unitary(Index circuit) const;
  /// O'_m of one circuit as planes [strings of the circuit, 2, 2^n, 2^n].
  Tensor transformed_observables(Index circuit) const;

 private:
  Tensor measure_by_unitaries(const Tensor& rows) const;

  Program program_;
  std::vector<BoundProgram> circuits_;
  std::vector<Observables> observables_;
  std::vector<Tensor> unitaries_;  // with 4 wires each circuit's U [16, 2, 16], its rows in the order of a block
};

}  // namespace qisa
