// One circuit for every head of a layer, once or several times with angles of its own: encodes x, applies the gates,
// measures Pauli strings.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/attention/mechanism.hpp"
#include "quantum/circuit.hpp"

namespace qisa {

/// The circuit of a model's heads: the paper's, on the wires that n_embd amplitudes need.
inline Circuit head_circuit(const ModelSettings& settings) { return qisa_circuit(wires_for(settings.n_embd)); }

/// What every head measures with one set of angles.
struct HeadMeasurement {
  std::string name;      // of the set: "q_slow", "k_slow" or "v_slow", as in the paper's published code
  LayerStrings strings;  // one list a head
};

/// x [tokens, n_embd] -> [tokens, strings], one column a string: those of all heads for the first measurement, then
/// those for the second, … Adds the angles of every measurement M and head H under the names that the circuit gives
/// them, as the paper's published code does: NAME.heads.H.qsa.M.rx0.W.params [1, 1] for the angle rx0[W]. All circuits
/// run as one bank.
std::function<Variable(Pass& pass, const Variable& x)> head_circuits(const LayerContext& layer, const Circuit& circuit,
                                                                     const std::vector<HeadMeasurement>& measurements);

}  // namespace qisa
