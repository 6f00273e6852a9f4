// qisa-v3, the paper's QISA-A: q and k are linear in x with bias, v is measured on a quantum circuit
// that x is encoded into; scores are Gaussian. (arXiv 2603.03318.) Trained numbers a head:
// 2 (n_embd + 1) head_size + 3 wires.
#include "autograd/operations.hpp"
#include "nn/attention/head_circuits.hpp"
#include "nn/attention/mechanism.hpp"

namespace qisa {
namespace {

class QisaV3 final : public Mechanism {
 public:
  QisaV3(Parameters& parameters, const std::string& name, const ModelSettings& settings, const LayerStrings& strings)
      : width_(settings.n_embd), values_(parameters, name, "v_slow", settings.n_embd, strings) {
    // One matrix [2 n_embd, n_embd]: the queries of all heads, then the keys; the biases alike.
    std::vector<Parameters::Part> weights, biases;
    for (const char* part : {"q_linear", "k_linear"}) {
      for (Index head = 0; head < settings.n_head; ++head) {
        const std::string prefix = fmt::format("{}.heads.{}.qsa.{}", name, head, part);
        weights.push_back({prefix + ".weight", {settings.head_size(), width_}});
        biases.push_back({prefix + ".bias", {settings.head_size()}});
      }
    }
    weight_ = parameters.add({2 * width_, width_}, weights, settings.weight_initial(width_));
    bias_ = parameters.add({2 * width_}, biases, settings.bias_initial(width_));
  }

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qk = linear(x, pass(weight_), pass(bias_));
    return {{qk, 0}, {qk, width_}, {values_(pass, x), 0}};
  }

  void set_score(AttentionSettings& settings, const Pass&) const override { settings.score = Score::gaussian; }

 private:
  Index width_;
  HeadCircuits values_;
  Parameter weight_, bias_;
};

}  // namespace

std::unique_ptr<Mechanism> make_qisa_v3(Parameters& parameters, const std::string& name, const ModelSettings& settings,
                                        const LayerStrings& strings) {
  return std::make_unique<QisaV3>(parameters, name, settings, strings);
}

}  // namespace qisa
