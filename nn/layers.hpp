// The plain layers: linear, embedding, layer norm. A layer knows its parameters and computes with
// the values that a pass hands it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "nn/parameters.hpp"
#include "nn/pass.hpp"
#include "tensor/activation.hpp"

namespace qisa {

/// x W^T + b: [..., in] -> [..., out]. Parameters: name.weight [out, in], name.bias [out].
class Linear {
 public:
  Linear(Parameters& parameters, const std::string& name, Index in, Index out, Initial weight, Initial bias);
  Variable operator()(Pass& pass, const Variable& x) const;
  /// f(x W^T + b).
  Variable operator()(Pass& pass, const Variable& x, Activation f) const;

 private:
  Parameter weight_, bias_;
};

/// Rows of a table: n indices -> [n, width]. Parameter: name.weight [rows, width].
class Embedding {
 public:
  Embedding(Parameters& parameters, const std::string& name, Index rows, Index width, Initial initial);
  Variable operator()(Pass& pass, std::span<const std::int32_t> indices) const;
  /// The table, for models that use it a second time as output weights.
  const Parameter& table() const { return table_; }

 private:
  Parameter table_;
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
