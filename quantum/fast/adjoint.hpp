// The fast kernel: Pauli expectations of circuits on many inputs, and their gradient by the adjoint
// method (Jones and Gacon, "Efficient calculation of gradients in classical simulations of variational
// quantum algorithms", arXiv 2009.02823). This is what training runs.
//
// For the gradient, no state is kept: the final one is computed again, which takes less time than fetching it from
// memory. With psi that state and g = dL/d psi = 2 sum_m w_m P_m psi, the gates are undone on psi and g alike, and
// dL/d angle is read off between them (program.hpp).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "quantum/circuit_bank.hpp"
#include "quantum/fast/observables.hpp"
#include "quantum/fast/program.hpp"
#include "tensor/tensor.hpp"

namespace qisa {

/// H circuits of the same form that read the same inputs, each with angles and Pauli strings of its own.
struct BankProgram {
  /// `measured` are strings, one list for each circuit. Throws when a list is empty or a string has not as many
  /// characters as the circuit has wires.
  BankProgram(const Circuit& circuit, std::span<const std::vector<PauliString>> measured,
              Encoding rows = Encoding::amplitude);

  Program program;
  std::vector<Observables> observables;
  Encoding encoding;
  Index strings = 0;       // M, the number of strings of all circuits
  Index scratch_size = 0;  // room for each circuit's observables

  Index circuits() const { return std::ssize(observables); }
  /// C of inputs of this shape. Throws when it does not fit, or is more than 2^n.
  Index columns(const Shape& rows) const;
  /// Every circuit with its angles: `angles` is [H, program.angles()] in radians.
  std::vector<BoundProgram> bind(const Tensor& angles) const;
};

/// Expectation values [T, M]: first the strings of circuit 0, then of circuit 1, … A row of zeros measures 0.
Tensor measure_circuits(const BankProgram& bank, std::span<const BoundProgram> circuits, const Tensor& rows);

/// Leaves in a block the final states of a circuit for the lane_count tokens from `first` on, as far as there are any.
using PrepareStates = std::function<void(std::size_t circuit, Index first, Real* state)>;

/// Expectation values [tokens, M] of states that `prepare` makes, laid out for the program. What it leaves for
/// tokens that there are not does not matter.
Tensor measure_states(const BankProgram& bank, Index tokens, const PrepareStates& prepare);

/// Adds the gradients with respect to the rows and the angles, given the gradient with respect to the
/// result, `grad_out` [T, M]. Either may be null; otherwise they have the shapes of `rows` and `angles`.
void measure_circuits_backward(const BankProgram& bank, const Tensor& angles, const Tensor& rows,
                               const Tensor& grad_out, Tensor* grad_rows, Tensor* grad_angles);

}  // namespace qisa
