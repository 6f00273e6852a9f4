// qisa-v2: q, k and v are each measured on a quantum circuit that x is encoded into, the same Pauli
// strings on all three; scores are Gaussian. (arXiv 2603.03318.) Trained numbers a head: 9 wires.
#include "nn/attention/head_circuits.hpp"

namespace qisa {
namespace {

Mechanism make_qisa_v2(const LayerContext& layer) {
  const auto circuits =
      head_circuits(layer, head_circuit(layer.settings),
                    {{"q_slow", layer.strings}, {"k_slow", layer.strings}, {"v_slow", layer.strings}});
  return [circuits, width = layer.settings.n_embd](Pass& pass, const Variable& x, AttentionSettings& attention) {
    attention.score = Score::gaussian;
    const Variable qkv = circuits(pass, x);
    return Projections{{qkv, 0}, {qkv, width}, {qkv, 2 * width}};
  };
}

}  // namespace

MechanismEntry qisa_v2_mechanism() { return {"qisa-v2", true, false, make_qisa_v2}; }

}  // namespace qisa
