#include "nn/attention/self_attention.hpp"

#include <algorithm>

namespace qisa {
namespace {

/// Appends `width` columns of new positions to the rows of a cache; all rows so far, as columns.
HeadColumns append(Tensor& cached, Index length, const HeadColumns& added, Index width) {
  const Tensor& from = added.matrix.value();
  const Index count = from.shape()[0], stride = from.shape()[1];
  const Real* row = from.data() + added.first_column;
  for (Index i = 0; i < count; ++i) std::copy_n(row + i * stride, width, cached.data() + (length + i) * width);
  return {Variable(cached.part(0, {length + count, width})), 0};
}

}  // namespace

SelfAttention::SelfAttention(const LayerContext& layer)
    : settings_(layer.settings),
      mechanism_(find_mechanism(settings_.attention).make(layer)),
      project_(layer.parameters, layer.name + ".project", settings_.n_embd, settings_.n_embd,
               settings_.weight_initial(settings_.n_embd, true), settings_.bias_initial(settings_.n_embd)) {}

Variable SelfAttention::operator()(Pass& pass, const Variable& x, Index batch, LayerCache* cache,
                                   Tensor* weights) const {
  AttentionSettings attention;
  attention.batch = batch;
  attention.queries = attention.keys = x.shape()[0] / batch;
  attention.heads = settings_.n_head;
  attention.head_size = settings_.head_size();
  attention.normalizer = settings_.normalizer;
  attention.aggregation = settings_.aggregation;
  auto [q, k, v] = mechanism_(pass, x, attention);
  if (cache) {
    k = append(cache->keys, cache->length, k, attention.heads * attention.key_columns());
    v = append(cache->values, cache->length, v, settings_.n_embd);
    attention.keys = cache->length += attention.queries;
  }
  if (weights) *weights = attention_weights(q, k, attention);
  return project_(pass, qisa::attention(q, k, v, attention, pass.stream()));
}

}  // namespace qisa
