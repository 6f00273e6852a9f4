// Linear maps of every head, computed as one product.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nn/pass.hpp"
#include "nn/settings.hpp"

namespace qisa {

enum class Bias { none, learned };

/// x W^T, or x W^T + b, where the rows of W are those of the first map in every head, then those of the second, …
class HeadLinear {
 public:
  /// `maps` are names such as "query", and `size` is the outputs of a map in a head. Parameters, for every map M and
  /// head H: NAME.heads.H.M.weight [size, n_embd], and NAME.heads.H.M.bias [size].
  HeadLinear(Parameters& parameters, const std::string& name, const ModelSettings& settings,
             const std::vector<std::string>& maps, Index size, Bias bias);

  /// x [tokens, n_embd] -> [tokens, maps * heads * size].
  Variable operator()(Pass& pass, const Variable& x) const;

 private:
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace qisa
