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

/// What the layers have read of one sequence.
struct GenerationCache {
  std::vector<LayerCache> layers;
  Index length = 0;
};

/// W2 activation(W1 x), hidden size 4 n_embd. Parameters: NAME.layer.0 and NAME.layer.2.
class FeedForward {
 public:
  FeedForward(Parameters& parameters, const std::string& name, const ModelSettings& settings);
  Variable operator()(Pass& pass, const Variable& x) const;

 private:
  Activation activation_;
  Linear widen_, narrow_;
};

/// One layer of the transformer.
class Block {
 public:
  Block(Parameters& parameters, const std::string& name, const ModelSettings& settings, const LayerStrings& strings);
  Variable operator()(Pass& pass, const Variable& x, Index batch, LayerCache* cache) const;
  /// The weights of its attention for the same input, [batch, n_head, length, length].
  Tensor attention_weights(Pass& pass, const Variable& x, Index batch) const;

 private:
  LayerNorm norm1_, norm2_;
  SelfAttention attention_;
  FeedForward feed_forward_;
};

class GPT {
 public:
  /// A new model: Pauli strings and starting weights are functions of the seed.
  GPT(const ModelSettings& settings, std::uint64_t seed);
  /// A model with given Pauli strings that takes no memory for weights yet: parameters().values() is empty, for a
  /// checkpoint's reader to fill. Throws when the strings do not fit the settings, and names layer and head.
  GPT(const ModelSettings& settings, ModelStrings strings);
  /// The same with starting weights.
  GPT(const ModelSettings& settings, ModelStrings strings, std::uint64_t seed);

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

  /// Trained numbers that belong to one attention head.
  Index parameters_a_head() const;

  const ModelSettings& settings() const { return settings_; }
  const ModelStrings& pauli_strings() const { return strings_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

 private:
  /// Token + position embeddings; the first token of each sequence is at position `first`.
  Variable embed(Pass& pass, std::span<const std::int32_t> tokens, Index batch, Index first) const;

  ModelSettings settings_;
  ModelStrings strings_;
  Parameters parameters_;
  Embedding token_embedding_, position_embedding_;
  std::vector<Block> blocks_;
  LayerNorm norm_;
  std::optional<Linear> output_;  // none with tied embeddings
};

}  // namespace qisa
