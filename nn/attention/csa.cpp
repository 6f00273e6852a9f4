// Classical self-attention (csa): q, k and v are linear in x without bias, scores are
// exp(q·k / sqrt(n_embd)). (Vaswani et al., arXiv 1706.03762, divide by sqrt(head_size); the paper's
// code by sqrt(n_embd).) Trained numbers a head: 3 n_embd head_size.
#include <cmath>

#include "autograd/operations.hpp"
#include "nn/attention/mechanism.hpp"

namespace qisa {
namespace {

class ClassicalAttention final : public Mechanism {
 public:
  ClassicalAttention(Parameters& parameters, const std::string& name, const ModelSettings& settings)
      : width_(settings.n_embd),
        scale_(1 / std::sqrt(static_cast<Real>(settings.score_scale == ScoreScale::head ? settings.head_size()
                                                                                        : settings.n_embd))) {
    // One matrix [3 n_embd, n_embd]: the queries of all heads, then the keys, then the values.
    std::vector<Parameters::Part> parts;
    for (const char* part : {"query", "key", "value"}) {
      for (Index head = 0; head < settings.n_head; ++head) {
        parts.push_back({fmt::format("{}.heads.{}.{}.weight", name, head, part), {settings.head_size(), width_}});
      }
    }
    weight_ = parameters.add({3 * width_, width_}, parts, settings.weight_initial(width_));
  }

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qkv = linear(x, pass(weight_));
    return {{qkv, 0}, {qkv, width_}, {qkv, 2 * width_}};
  }

  void set_score(AttentionSettings& settings, const Pass& pass) const override {
    settings.score = Score::dot;
    settings.scale = scale_;
    settings.normalizer = Normalizer::sum;  // of exponentials: the usual softmax
    settings.dropped = pass.dropped();
  }

 private:
  Index width_;
  Real scale_;
  Parameter weight_;
};

}  // namespace

std::unique_ptr<Mechanism> make_csa(Parameters& parameters, const std::string& name, const ModelSettings& settings,
                                    const LayerStrings&) {
  return std::make_unique<ClassicalAttention>(parameters, name, settings);
}

}  // namespace qisa
