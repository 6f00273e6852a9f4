// Classical self-attention (csa): q, k and v are linear in x without bias, scores are
// exp(q·k / sqrt(n_embd)). (Vaswani et al., arXiv 1706.03762, divide by sqrt(head_size); the paper's
// code by sqrt(n_embd).) Trained numbers a head: 3 n_embd head_size.
#include <cmath>

#include "nn/attention/head_linear.hpp"
#include "nn/attention/mechanism.hpp"

namespace qisa {
namespace {

Mechanism make_csa(const LayerContext& layer) {
  const Index width = layer.settings.n_embd, head_size = layer.settings.head_size();
  const Real scale =
      1 / std::sqrt(static_cast<Real>(layer.settings.score_scale == ScoreScale::head ? head_size : width));
  const Linear projections = head_linear(layer, {"query", "key", "value"}, head_size, Bias::none);
  return [=](Pass& pass, const Variable& x, AttentionSettings& attention) {
    attention.score = Score::dot;
    attention.scale = scale;
    attention.normalizer = Normalizer::sum;  // of exp(score): that is the usual softmax of the scores
    attention.dropped = pass.dropped();
    const Variable qkv = projections(pass, x);
    return Projections{{qkv, 0}, {qkv, width}, {qkv, 2 * width}};
  };
}

}  // namespace

MechanismEntry csa_mechanism() { return {"csa", false, false, make_csa}; }

}  // namespace qisa
