#include "nn/layers.hpp"

#include "autograd/operations.hpp"

namespace qisa {

Linear::Linear(Parameters& parameters, const std::string& name, Index in, Index out, Initial weight, Initial bias)
    : weight_(parameters.add(name + ".weight", {out, in}, weight)),
      bias_(parameters.add(name + ".bias", {out}, bias)) {}

Variable Linear::operator()(Pass& pass, const Variable& x) const {
  return linear(x, pass(weight_), bias_ ? pass(*bias_) : Variable());
}

Variable Linear::operator()(Pass& pass, const Variable& x, Activation f) const {
  return activated_linear(x, pass(weight_), pass(bias_.value()), f);
}

LayerNorm::LayerNorm(Parameters& parameters, const std::string& name, Index width)
    : weight_(parameters.add(name + ".weight", {width}, Initial::constant(1))),
      bias_(parameters.add(name + ".bias", {width}, Initial::constant(0))) {}

Variable LayerNorm::operator()(Pass& pass, const Variable& x) const {
  return layer_norm(x, pass(weight_), pass(bias_));
}

}  // namespace qisa
