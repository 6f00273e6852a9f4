// The fast kernel: Pauli expectations of circuits on many inputs, and their gradient by the adjoint
// method (Jones and Gacon, "Efficient calculation of gradients in classical simulations of variational
// quantum algorithms", arXiv 2009.02823). This is what training runs.
//
// A bank is H circuits of the same form that read the same inputs, each with angles and Pauli strings of
// its own: the heads of an attention layer. Every input row x encodes to the state pad(x) / |x|; a row of
// zeros encodes to the zero state, whose expectations and gradient are 0.
//
// For the gradient, no state is kept: the final one is computed again, which takes less time than fetching it from
// memory. With psi that state and g = dL/d psi = 2 sum_m w_m P_m psi, the gates are undone on psi and g alike, and
// dL/d angle is read off between them (program.hpp).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "quantum/fast/observables.hpp"
#include "quantum/fast/program.hpp"
#include "tensor/tensor.hpp"

namespace qisa {

/// Every circuit of the bank with its angles: `angles` is [H, program.angles()] in radians, `observables` has H
/// entries, laid out for the program (Observables(strings, program.offsets())). Throws when shapes, wires or layouts
/// disagree.
std::vector<BoundProgram> bind_circuits(const Program& program, const Tensor& angles,
                                        std::span<const Observables> observables);

/// Expectation values [T, M]: first the strings of circuit 0, then of circuit 1, … `rows` is [T, C]. Throws when
/// C > 2^wires, or there are not as many circuits as observables.
Tensor measure_circuits(const Program& program, std::span<const BoundProgram> circuits,
                        std::span<const Observables> observables, const Tensor& rows);

/// The same, with angles as bind_circuits() takes them.
Tensor measure_circuits(const Program& program, const Tensor& angles, std::span<const Observables> observables,
                        const Tensor& rows);

/// Leaves the final states of a circuit, encoded from rows first to first + count - 1, in a block: count <= lane_count.
using PrepareStates = std::function<void(std::size_t circuit, Index first, Index count, Real* state)>;

/// measure_circuits() with states that `prepare` makes, laid out for the program. What it leaves for tokens of the
/// block beyond `count` does not matter. Throws when C > 2^wires.
Tensor measure_states(const Program& program, std::span<const Observables> observables, const Tensor& rows,
                      const PrepareStates& prepare);

/// Adds the gradients with respect to the rows and the angles, given the gradient with respect to the
/// result, `grad_out` [T, M]. Either may be null; otherwise they have the shapes of `rows` and `angles`.
void measure_circuits_backward(const Program& program, const Tensor& angles, std::span<const Observables> observables,
                               const Tensor& rows, const Tensor& grad_out, Tensor* grad_rows, Tensor* grad_angles);

}  // namespace qisa
