// qisa: q and k are linear in x with bias; v is quadratic: v_m = y^T P_m y with y = W x, Pauli strings
// measured on a real vector that is not normalised, without a gate; scores are Gaussian.
// (arXiv 2603.03318.) Trained numbers a head: 2 (n_embd + 1) head_size + n_embd^2.
//
// Strings with an odd number of Y measure 0 whatever W is: dead_outputs() counts them, and the setting
// pauli = real draws none.
#include "autograd/operations.hpp"
#include "nn/attention/mechanism.hpp"
#include "quantum/fast/quadratic_form.hpp"

namespace qisa {
namespace {

class Qisa final : public Mechanism {
 public:
  Qisa(Parameters& parameters, const std::string& name, const ModelSettings& settings, const LayerStrings& strings)
      : width_(settings.n_embd), forms_(strings) {
    // One matrix [2 n_embd, n_embd]: the queries of all heads, then the keys; the biases alike. Another
    // one [n_head n_embd, n_embd]: W of every head.
    const auto part = [&](Index head, const char* of) { return fmt::format("{}.heads.{}.qsa.{}", name, head, of); };
    std::vector<Parameters::Part> weights, biases, values;
    for (const char* of : {"q_linear", "k_linear"}) {
      for (Index head = 0; head < settings.n_head; ++head) {
        weights.push_back({part(head, of) + ".weight", {settings.head_size(), width_}});
        biases.push_back({part(head, of) + ".bias", {settings.head_size()}});
      }
    }
    for (Index head = 0; head < settings.n_head; ++head) {
      values.push_back({part(head, "v_linear") + ".weight", {width_, width_}});
    }
    weight_ = parameters.add({2 * width_, width_}, weights, settings.weight_initial(width_));
    bias_ = parameters.add({2 * width_}, biases, settings.bias_initial(width_));
    values_ = parameters.add({settings.n_head * width_, width_}, values, settings.weight_initial(width_));
  }

  Projections project(Pass& pass, const Variable& x) const override {
    const Variable qk = linear(x, pass(weight_), pass(bias_));
    const Variable y = linear(x, pass(values_));
    return {{qk, 0}, {qk, width_}, {forms_.measure(y, pass.kernel()), 0}};
  }

  void set_score(AttentionSettings& settings, const Pass&) const override { settings.score = Score::gaussian; }

 private:
  Index width_;
  QuadraticForms forms_;
  Parameter weight_, bias_, values_;
};

}  // namespace

std::unique_ptr<Mechanism> make_qisa(Parameters& parameters, const std::string& name, const ModelSettings& settings,
                                     const LayerStrings& strings) {
  return std::make_unique<Qisa>(parameters, name, settings, strings);
}

}  // namespace qisa
