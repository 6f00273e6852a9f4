// One circuit for every head of a layer, once or several times with angles of its own: encodes x, applies the gates,
// measures Pauli strings.
#pragma once

#include <string>

#include "nn/attention/mechanism.hpp"
#include "quantum/circuit_bank.hpp"

namespace qisa {

/// The circuit of a model's heads: the paper's, on the wires that n_embd amplitudes need.
inline Circuit head_circuit(const ModelSettings& settings) { return qisa_circuit(wires_for(settings.n_embd)); }

/// What every head measures with one set of angles.
struct HeadMeasurement {
  std::string name;      // of the set: "q_slow", "k_slow" or "v_slow", as in the paper's published code
  LayerStrings strings;  // one list a head
};

class HeadCircuits {
 public:
  /// Adds the angles of every measurement M and head H under the names that the circuit gives them, as the paper's
  /// published code does: NAME.heads.H.qsa.M.rx0.W.params [1, 1] for the angle rx0[W]. All circuits run as one bank.
  HeadCircuits(Parameters& parameters, const std::string& name, const Circuit& circuit,
               const std::vector<HeadMeasurement>& measurements);

  /// x [tokens, n_embd] -> [tokens, strings], one column a string: those of all heads for the first
  /// measurement, then those for the second, …
  Variable operator()(Pass& pass, const Variable& x) const;

 private:
  CircuitBank bank_;
  Parameter angles_;  // [measurements * heads, angles]
};

}  // namespace qisa
