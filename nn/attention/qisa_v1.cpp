// qisa-v1: q and k are one number a head, <Z> of wire 0 on a quantum circuit that x is encoded into,
// repeated head_size times; v is measured with Pauli strings on a third circuit; scores are Gaussian,
// so that |q - k|^2 is head_size times one square. (arXiv 2603.03318.) Trained numbers a head: 9 wires,
// of which the ry1 of wires 1, 2, … of q and k have no effect: a turn of another wire leaves <Z> of
// wire 0 as it is.
#include "nn/attention/head_circuits.hpp"

namespace qisa {
namespace {

Mechanism make_qisa_v1(const LayerContext& layer) {
  // Z on wire 0, for every head.
  const LayerStrings z(layer.settings.n_head,
                       {PauliString(std::string("Z").append(wires_for(layer.settings.n_embd) - 1, 'I'))});
  const auto circuits =
      head_circuits(layer, head_circuit(layer.settings), {{"q_slow", z}, {"k_slow", z}, {"v_slow", layer.strings}});
  return [circuits, heads = layer.settings.n_head](Pass& pass, const Variable& x, AttentionSettings& attention) {
    attention.score = Score::gaussian;
    attention.key_size = 1;
    const Variable qkv = circuits(pass, x);
    return Projections{{qkv, 0}, {qkv, heads}, {qkv, 2 * heads}};
  };
}

}  // namespace

MechanismEntry qisa_v1_mechanism() { return {"qisa-v1", true, false, make_qisa_v1}; }

}  // namespace qisa
