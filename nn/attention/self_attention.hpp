// Self-attention of one layer: a mechanism makes queries, keys and values, attention mixes them, a
// linear layer projects the result.
#pragma once

#include "nn/attention/mechanism.hpp"
#include "nn/layers.hpp"

namespace qisa {

/// Keys and values of the positions that a layer has read, so that the next position need not
/// compute them again.
struct LayerCache {
  Tensor keys, values;  // [block_size, n_embd]: room for as many rows, of which `length` are filled;
                        // rows of keys are narrower where a mechanism's are
  Index length = 0;
};

class SelfAttention {
 public:
  /// Parameters: those of the mechanism, and NAME.project.
  explicit SelfAttention(const LayerContext& layer);

  /// x [batch * length, n_embd], after layer norm -> the same shape. With a cache, batch must be 1, x
  /// holds the positions after those in the cache, and they are added to it. `weights`, where asked for, become the
  /// attention weights of every head, [batch, n_head, length, all positions], without dropout.
  Variable operator()(Pass& pass, const Variable& x, Index batch, LayerCache* cache = nullptr,
                      Tensor* weights = nullptr) const;

 private:
  ModelSettings settings_;
  Mechanism mechanism_;
  Linear project_;
};

}  // namespace qisa
