// The plain layers: linear and layer norm. A layer knows its parameters and computes with
// the values that a pass hands it.
#pragma once

#include <optional>
#include <string>

#include "nn/parameters.hpp"
#include "nn/pass.hpp"
#include "tensor/activation.hpp"

namespace qisa {

/// x W^T + b, or x W^T: [..., in] -> [..., out].
class Linear {
 public:
  Linear() = default;
  /// Of parameters that exist.
  explicit Linear(Parameter weight, std::optional<Parameter> bias = {}) : weight_(weight), bias_(bias) {}
  /// Adds parameters: name.weight [out, in], name.bias [out].
  Linear(Parameters& parameters, const std::string& name, Index in, Index out, Initial weight, Initial bias);
  Variable operator()(Pass& pass, const Variable& x) const;
  /// f(x W^T + b), of a layer with bias.
  Variable operator()(Pass& pass, const Variable& x, Activation f) const;

 private:
  Parameter weight_;
  std::optional<Parameter> bias_;
};

/// Layer normalisation of the last axis. Parameters: name.weight [width], name.bias [width].
class LayerNorm {
 public:
  LayerNorm(Parameters& parameters, const std::string& name, Index width);
  Variable operator()(Pass& pass, const Variable& x) const;

 private:
  Parameter weight_, bias_;
};

}  // namespace qisa
