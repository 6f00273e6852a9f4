// Circuits as OpenQASM 2.0, for other tools to read.
#pragma once

#include <span>
#include <string>

#include "quantum/circuit.hpp"

namespace qisa {

/// The circuit as an OpenQASM 2.0 program (Cross, Bishop, Smolin, Gambetta: "Open Quantum Assembly
/// Language", arXiv 1707.03429), equal to it up to a global phase. Angles (radians) are written with
/// as many digits as read back to the same double. Gates are those of "qelib1.inc"; the first
/// edition of that file lacks swap, crx and cry, which Qiskit's has.
/// Throws when there are not exactly circuit.angles() angles, or when one is not finite.
std::string openqasm(const Circuit& circuit, std::span<const double> angles);

}  // namespace qisa
