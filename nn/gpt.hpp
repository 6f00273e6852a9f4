// GPT-1 (Radford et al. 2018) with a choice of attention, normalised before each layer.
//
//   x = token embedding + position embedding
//   for each block:  x += attention(norm1(x));  x += feed_forward(norm2(x))
//   logits = fc(norm(x))
//
// Parameters carry the names of the paper's published code, so that its checkpoints fit.
#pragma once

#include <span>
#include <vector>

#include "nn/attention/self_attention.hpp"
#include "nn/layers.hpp"

namespace qisa {

/// Pauli strings of a model: [n_layer][n_head][head_size]. Inner lists are empty for mechanisms that
/// measure none.
using ModelStrings = std::vector<LayerStrings>;

/// What each layer has read of one sequence, all of them as many positions.
using GenerationCache = std::vector<LayerCache>;

/// One layer of the transformer. Its feed_forward(x) is W2 activation(W1 x), hidden size 4 n_embd. Parameters:
/// NAME.norm1, NAME.norm2, those of NAME.mhsa, and NAME.feed_forward.layer.0 and 2 for W1 and W2.
class Block {
 public:
  explicit Block(const LayerContext& layer);
  /// As SelfAttention's.
  Variable operator()(Pass& pass, const Variable& x, Index batch, LayerCache* cache, Tensor* weights) const;

 private:
  LayerNorm norm1_, norm2_;
  SelfAttention attention_;
  Activation activation_;
  Linear widen_, narrow_;
};

class GPT {
 public:
  /// A new model: Pauli strings and starting weights are functions of the seed.
  GPT(const ModelSettings& settings, std::uint64_t seed);
  /// A model with given Pauli strings that takes no memory for weights yet: parameters().values() is empty, for a
  /// checkpoint's reader to fill. Throws when the strings do not fit the settings, and names layer and head.
  GPT(const ModelSettings& settings, ModelStrings strings);
  /// Models share no weights: they are moved, not copied.
  GPT(GPT&&) = default;
  GPT& operator=(GPT&&) = default;

  /// Logits of the next token at each position: tokens [batch, length], row-major -> [batch * length,
  /// vocabulary_size]. With a cache, batch must be 1 and `tokens` follow those already in the cache.
  /// Throws when a sequence is longer than block_size or a token is not in the vocabulary.
  Variable logits(Pass& pass, std::span<const std::int32_t> tokens, Index batch,
                  GenerationCache* cache = nullptr) const;

  /// The attention weights w_ij, j <= i, of every head of a layer, counted from 0, for tokens
  /// [batch, length]: [batch, n_head, length, length], without dropout. Which position reads which by them,
  /// the aggregation says. Throws what logits() throws, and when there is no such layer.
  Tensor attention_weights(Pass& pass, std::span<const std::int32_t> tokens, Index batch, Index layer) const;

  /// An empty cache for one sequence. Throws for transposed aggregation, where later tokens change what
  /// earlier positions compute.
  GenerationCache new_cache() const;

  const ModelSettings& settings() const { return settings_; }
  const ModelStrings& pauli_strings() const { return strings_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

 private:
  /// x after the first `layers` blocks, and the attention weights of the last of them if they are asked for.
  Variable hidden(Pass& pass, std::span<const std::int32_t> tokens, Index batch, Index layers, GenerationCache* cache,
                  Tensor* weights) const;

  ModelSettings settings_;
  ModelStrings strings_;
  Parameters parameters_;
  Parameter token_embedding_, position_embedding_;  // [vocabulary_size, n_embd], [block_size, n_embd]
  std::vector<Block> blocks_;
  LayerNorm norm_;
  Linear output_;
};

}  // namespace qisa
