// Circuits drawn as text, for terminals and comments.
#pragma once

#include <string>

#include "quantum/circuit.hpp"

namespace qisa {

/// A drawing of the circuit, time from left to right, one line a wire (UTF-8):
///
///     0: ──┤H├──●───────
///               │
///     1: ───────⊕──┤S├──
///
/// A control and both ends of a CZ are ●, the target of a CNOT ⊕, the ends of a SWAP ×; every other
/// gate is a box with its name and the name of its angle. A line between two wires of a gate crosses
/// the others at ┼. A gate stands as far left as its wires, and those that its line crosses, allow.
std::string draw(const Circuit& circuit);

}  // namespace qisa
