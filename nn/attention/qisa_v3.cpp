// qisa-v3, the paper's QISA-A: q and k are linear in x with bias, v is measured on a quantum circuit
// that x is encoded into; scores are Gaussian. (arXiv 2603.03318.) Trained numbers a head:
// 2 (n_embd + 1) head_size + 3 wires.
#include "nn/attention/head_circuits.hpp"
#include "nn/attention/head_linear.hpp"

namespace qisa {
namespace {

Mechanism make_qisa_v3(const LayerContext& layer) {
  const Index width = layer.settings.n_embd;
  const auto values = head_circuits(layer, head_circuit(layer.settings), {{"v_slow", layer.strings}});
  const Linear queries_keys =
      head_linear(layer, {"qsa.q_linear", "qsa.k_linear"}, layer.settings.head_size(), Bias::learned);
  return [=](Pass& pass, const Variable& x, AttentionSettings& attention) {
    attention.score = Score::gaussian;
    const Variable qk = queries_keys(pass, x);
    return Projections{{qk, 0}, {qk, width}, {values(pass, x)}};
  };
}

}  // namespace

MechanismEntry qisa_v3_mechanism() { return {"qisa-v3", true, false, make_qisa_v3}; }

}  // namespace qisa
