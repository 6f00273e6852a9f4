// qisa-v1: q and k are one number a head, <Z> of wire 0 on a quantum circuit that x is encoded into,
// repeated head_size times; v is measured with Pauli strings on a third circuit; scores are Gaussian,
// so that |q - k|^2 is head_size times one square. (arXiv 2603.03318.) Trained numbers a head: 9 wires,
// of which the ry1 of wires 1, 2, … of q and k have no effect: a turn of another wire leaves <Z> of
// wire 0 as it is.
#include "nn/attention/head_circuits.hpp"

namespace qisa {
namespace {

/// Z on wire 0, for every head.
LayerStrings z_of_wire_0(const ModelSettings& settings) {
  std::string text(static_cast<std::size_t>(wires_for(settings.n_embd)), 'I');
  text[0] = 'Z';
  return LayerStrings(static_cast<std::size_t>(settings.n_head), {PauliString(text)});
}

class QisaV1 final : public Mechanism {
 public:
  QisaV1(Parameters& parameters, const std::string& name, const ModelSettings& settings, const LayerStrings& strings)
      : heads_(settings.n_head),
        circuits_(parameters, name, head_circuit(settings),
                  {{"q_slow", z_of_wire_0(settings)}, {"k_slow", z_of_wire_0(settings)}, {"v_slow", strings}}) {}

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qkv = circuits_(pass, x);
    return {{qkv, 0}, {qkv, heads_}, {qkv, 2 * heads_}};
  }

  void set_score(AttentionSettings& settings, const Pass&) const override {
    settings.score = Score::gaussian;
    settings.key_size = 1;
  }

 private:
  Index heads_;
  HeadCircuits circuits_;
};

}  // namespace

MechanismEntry qisa_v1_mechanism() { return {"qisa-v1", true, false, make_mechanism<QisaV1>}; }

}  // namespace qisa
