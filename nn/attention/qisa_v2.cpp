// qisa-v2: q, k and v are each measured on a quantum circuit that x is encoded into, the same Pauli
// strings on all three; scores are Gaussian. (arXiv 2603.03318.) Trained numbers a head: 9 wires.
#include "nn/attention/head_circuits.hpp"

namespace qisa {
namespace {

class QisaV2 final : public Mechanism {
 public:
  QisaV2(Parameters& parameters, const std::string& name, const ModelSettings& settings, const LayerStrings& strings)
      : width_(settings.n_embd),
        circuits_(parameters, name, head_circuit(settings),
                  {{"q_slow", strings}, {"k_slow", strings}, {"v_slow", strings}}) {}

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qkv = circuits_(pass, x);
    return {{qkv, 0}, {qkv, width_}, {qkv, 2 * width_}};
  }

  void set_score(AttentionSettings& settings, const Pass&) const override { settings.score = Score::gaussian; }

 private:
  Index width_;
  HeadCircuits circuits_;
};

}  // namespace

MechanismEntry qisa_v2_mechanism() { return {"qisa-v2", true, false, make_mechanism<QisaV2>}; }

}  // namespace qisa
