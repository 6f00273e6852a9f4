// Classical self-attention (csa): q, k and v are linear in x without bias, scores are
// exp(q·k / sqrt(n_embd)). (Vaswani et al., arXiv 1706.03762, divide by sqrt(head_size); the paper's
// code by sqrt(n_embd).) Trained numbers a head: 3 n_embd head_size.
#include <cmath>

#include "nn/attention/head_linear.hpp"
#include "nn/attention/mechanism.hpp"

namespace qisa {
namespace {

class ClassicalAttention final : public Mechanism {
 public:
  ClassicalAttention(Parameters& parameters, const std::string& name, const ModelSettings& settings,
                     const LayerStrings&)
      : width_(settings.n_embd),
        scale_(1 / std::sqrt(static_cast<Real>(settings.score_scale == ScoreScale::head ? settings.head_size()
                                                                                        : settings.n_embd))),
        qkv_(parameters, name, settings, {"query", "key", "value"}, settings.head_size(), Bias::none) {}

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qkv = qkv_(pass, x);
    return {{qkv, 0}, {qkv, width_}, {qkv, 2 * width_}};
  }

  void set_score(AttentionSettings& settings, const Pass& pass) const override {
    settings.score = Score::dot;
    settings.scale = scale_;
    settings.normalizer = Normalizer::sum;  // of exp(score): that is the usual softmax of the scores
    settings.dropped = pass.dropped();
  }

 private:
  Index width_;
  Real scale_;
  HeadLinear qkv_;
};

}  // namespace

MechanismEntry csa_mechanism() { return {"csa", false, false, make_mechanism<ClassicalAttention>}; }

}  // namespace qisa
