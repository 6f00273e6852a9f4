// qisa-v3, the paper's QISA-A: q and k are linear in x with bias, v is measured on a quantum circuit
// that x is encoded into; scores are Gaussian. (arXiv 2603.03318.) Trained numbers a head:
// 2 (n_embd + 1) head_size + 3 wires.
#include "nn/attention/head_circuits.hpp"
#include "nn/attention/head_linear.hpp"

namespace qisa {
namespace {

class QisaV3 final : public Mechanism {
 public:
  QisaV3(Parameters& parameters, const std::string& name, const ModelSettings& settings, const LayerStrings& strings)
      : width_(settings.n_embd),
        values_(parameters, name, head_circuit(settings), {{"v_slow", strings}}),
        qk_(parameters, name, settings, {"qsa.q_linear", "qsa.k_linear"}, settings.head_size(), Bias::learned) {}

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qk = qk_(pass, x);
    return {{qk, 0}, {qk, width_}, {values_(pass, x), 0}};
  }

  void set_score(AttentionSettings& settings, const Pass&) const override { settings.score = Score::gaussian; }

 private:
  Index width_;
  HeadCircuits values_;
  HeadLinear qk_;
};

}  // namespace

MechanismEntry qisa_v3_mechanism() { return {"qisa-v3", true, false, make_mechanism<QisaV3>}; }

}  // namespace qisa
