// The paper's circuit for each head, once or several times with angles of their own: encodes x, applies
// C(rx0, ry0, ry1), measures Pauli strings.
#pragma once

#include <string>

#include "nn/attention/mechanism.hpp"
#include "nn/pass.hpp"
#include "quantum/circuit_bank.hpp"

namespace qisa {

/// One circuit of every head.
struct HeadCircuit {
  std::string name;      // "q_slow", "k_slow" or "v_slow", as in the paper's published code
  LayerStrings strings;  // what is measured, one list a head
};

class HeadCircuits {
 public:
  /// Adds the angles of every circuit and head: NAME.heads.H.qsa.CIRCUIT.rx0.W.params, and ry0, ry1,
  /// [1, 1] for each wire W. All circuits run as one bank.
  HeadCircuits(Parameters& parameters, const std::string& name, Index n_embd, const std::vector<HeadCircuit>& circuits);
  /// The same with a single circuit.
  HeadCircuits(Parameters& parameters, const std::string& name, const std::string& circuit, Index n_embd,
               const LayerStrings& strings)
      : HeadCircuits(parameters, name, n_embd, {{circuit, strings}}) {}

  /// x [tokens, n_embd] -> [tokens, strings], one column a string: those of all heads for the first
  /// circuit, then those for the second, …
  Variable operator()(Pass& pass, const Variable& x) const;

 private:
  CircuitBank bank_;
  Parameter angles_;  // [circuits * heads, 3 wires]
};

}  // namespace qisa
