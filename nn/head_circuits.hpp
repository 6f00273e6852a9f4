// The paper's circuit once for each head: encodes x, applies C(rx0, ry0, ry1), measures the head's
// Pauli strings.
#pragma once

#include <string>

#include "nn/mechanism.hpp"
#include "nn/pass.hpp"
#include "quantum/circuit_bank.hpp"
#include "quantum/fused.hpp"

namespace qisa {

class HeadCircuits {
 public:
  /// Adds the angles of every head: NAME.heads.H.qsa.LAYER.rx0.W.params, and ry0, ry1, [1, 1] for each
  /// wire W, as in the paper's published code. `strings` are measured, one list a head.
  HeadCircuits(Parameters& parameters, const std::string& name, const std::string& layer, Index n_embd,
               const LayerStrings& strings);

  /// x [tokens, n_embd] -> [tokens, strings of all heads], one column a string.
  Variable operator()(Pass& pass, const Variable& x) const;

 private:
  CircuitBank bank_;
  Parameter angles_;  // [heads, 3 wires]
};

}  // namespace qisa
