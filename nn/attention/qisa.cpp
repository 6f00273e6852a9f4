// qisa: q and k are linear in x with bias; v is quadratic: v_m = y^T P_m y with y = W x, Pauli strings
// measured on a real vector that is not normalised, without a gate; scores are Gaussian.
// (arXiv 2603.03318.) Trained numbers a head: 2 (n_embd + 1) head_size + n_embd^2.
//
// Strings with an odd number of Y measure 0 whatever W is: dead_outputs() counts them, and the setting
// pauli = real draws none.
#include "nn/attention/head_linear.hpp"
#include "nn/attention/mechanism.hpp"
#include "quantum/circuit_bank.hpp"

namespace qisa {
namespace {

Mechanism make_qisa(const LayerContext& layer) {
  const Index width = layer.settings.n_embd;
  const Linear queries_keys =
      head_linear(layer, {"qsa.q_linear", "qsa.k_linear"}, layer.settings.head_size(), Bias::learned);
  const Linear values = head_linear(layer, {"qsa.v_linear"}, width, Bias::none);
  return [=, forms = quadratic_forms(layer.strings)](Pass& pass, const Variable& x, AttentionSettings& attention) {
    attention.score = Score::gaussian;
    const Variable qk = queries_keys(pass, x), y = values(pass, x);
    return Projections{{qk, 0}, {qk, width}, {forms.measure(y, pass.kernel())}};
  };
}

}  // namespace

MechanismEntry qisa_mechanism() { return {"qisa", true, true, make_qisa}; }

}  // namespace qisa
