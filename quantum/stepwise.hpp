// Circuits gate by gate in the graph: every step is an autograd operation that can be read, drawn and
// differentiated by itself. This is the teaching path, and the oracle for the fast kernels
// (adjoint.hpp, fused.hpp). The paper calls it the slow branch.
//
// A batch of states is one tensor [2, 2^wires, tokens]: the plane of real parts, then the plane of
// imaginary parts; amplitude-major with the tokens innermost. Its gradient has the same layout and
// means dL/dRe + i dL/dIm.
#pragma once

#include <span>

#include "autograd/variable.hpp"
#include "quantum/circuit.hpp"
#include "quantum/pauli.hpp"

namespace qisa {

/// Real amplitudes as they are, padded with zeros: rows [tokens, width] -> states [2, 2^wires, tokens]. Throws when
/// width > 2^wires.
Variable pad_states(const Variable& rows, int wires);

/// The rows [tokens, width] or, where numbers are so small or large that their squares would be lost, each row times a
/// power of two, and a row of zeros times 0: amplitude encoding takes rows of any size.
Variable of_safe_size(const Variable& rows);

/// Amplitude encoding, psi = pad(x) / |x|: rows [tokens, width] -> states [2, 2^wires, tokens]. A row
/// of zeros encodes to the zero state, with gradient 0. Throws when width > 2^wires.
Variable encode_amplitudes(const Variable& rows, int wires);

/// One gate on every state. `angles` [n] is read only by gates that have an angle.
Variable apply_gate(const Operation& operation, const Variable& states, const Variable& angles);

/// All gates of a circuit, first to last. `angles` is [circuit.angles()].
Variable apply_circuit(const Circuit& circuit, const Variable& states, const Variable& angles);

/// <psi|P_m|psi> of every state and string: [2, 2^wires, tokens] -> [tokens, strings].
Variable expectation_values(const Variable& states, std::span<const PauliString> strings);

}  // namespace qisa
