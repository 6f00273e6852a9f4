// Linear maps of every head, computed as one product.
#pragma once

#include <string>
#include <vector>

#include "nn/attention/mechanism.hpp"
#include "nn/layers.hpp"

namespace qisa {

enum class Bias { none, learned };

/// x [tokens, n_embd] -> [tokens, maps * heads * size]: the outputs of the first map in every head, then those of the
/// second, … `maps` are names such as "query", and `size` is the outputs of a map in a head. Parameters, for every map
/// M and head H: NAME.heads.H.M.weight [size, n_embd], and NAME.heads.H.M.bias [size].
Linear head_linear(const LayerContext& layer, const std::vector<std::string>& maps, Index size, Bias bias);

}  // namespace qisa
