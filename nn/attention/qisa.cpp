// qisa: q and k are linear in x with bias; v is quadratic: v_m = y^T P_m y with y = W x, Pauli strings
// measured on a real vector that is not normalised, without a gate; scores are Gaussian.
// (arXiv 2603.03318.) Trained numbers a head: 2 (n_embd + 1) head_size + n_embd^2.
//
// Strings with an odd number of Y measure 0 whatever W is: dead_outputs() counts them, and the setting
// pauli = real draws none.
#include "nn/attention/head_linear.hpp"
#include "nn/attention/mechanism.hpp"
#include "quantum/quadratic_form.hpp"

namespace qisa {
namespace {

class Qisa final : public Mechanism {
 public:
  Qisa(Parameters& parameters, const std::string& name, const ModelSettings& settings, const LayerStrings& strings)
      : width_(settings.n_embd),
        qk_(parameters, name, settings, {"qsa.q_linear", "qsa.k_linear"}, settings.head_size(), Bias::learned),
        y_(parameters, name, settings, {"qsa.v_linear"}, settings.n_embd, Bias::none),
        forms_(strings) {}

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qk = qk_(pass, x);
    return {{qk, 0}, {qk, width_}, {forms_.measure(y_(pass, x), pass.kernel()), 0}};
  }

  void set_score(AttentionSettings& settings, const Pass&) const override { settings.score = Score::gaussian; }

 private:
  Index width_;
  HeadLinear qk_, y_;
  QuadraticForms forms_;
};

}  // namespace

MechanismEntry qisa_mechanism() { return {"qisa", true, true, make_mechanism<Qisa>}; }

}  // namespace qisa
