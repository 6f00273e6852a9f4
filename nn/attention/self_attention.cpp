#include "nn/attention/self_attention.hpp"

#include <algorithm>

namespace qisa {
namespace {

/// Appends `width` columns of new positions to the rows of a cache; all rows so far, as columns.
HeadColumns append(Tensor& cached, Index length, const HeadColumns& added, Index width) {
  const Tensor& from = added.matrix.value();
  const Index count = from.shape()[0];
  for (Index row = 0; row < count; ++row) {
    std::copy_n(from.data() + row * from.shape()[1] + added.first_column, width,
                cached.data() + (length + row) * width);
  }
  return {Variable(cached.part(0, {length + count, width})), 0};
}

}  // namespace

SelfAttention::SelfAttention(Parameters& parameters, const std::string& name, const ModelSettings& settings,
                             const LayerStrings& strings)
    : settings_(settings),
      mechanism_(find_mechanism(settings.attention).make(parameters, name, settings, strings)),
      project_(parameters, name + ".project", settings.n_embd, settings.n_embd,
               settings.weight_initial(settings.n_embd, true), settings.bias_initial(settings.n_embd)) {}

AttentionSettings SelfAttention::attention_settings(const Pass& pass, Index batch, Index length) const {
  AttentionSettings attention;
  attention.batch = batch;
  attention.queries = attention.keys = length;
  attention.heads = settings_.n_head;
  attention.head_size = settings_.head_size();
  attention.normalizer = settings_.normalizer;
  attention.aggregation = settings_.aggregation;
  mechanism_->set_score(attention, pass);
  return attention;
}

Variable SelfAttention::operator()(Pass& pass, const Variable& x, Index batch, LayerCache* cache) const {
  const Index length = x.shape()[0] / batch;
  AttentionSettings attention = attention_settings(pass, batch, length);
  Projections projections = mechanism_->project(pass, x);
  if (cache) {
    projections.k = append(cache->keys, cache->length, projections.k, attention.heads * attention.key_columns());
    projections.v = append(cache->values, cache->length, projections.v, settings_.n_embd);
    cache->length += length;
    attention.keys = cache->length;
  }
  const Variable heads = qisa::attention(projections.q, projections.k, projections.v, attention, pass.stream());
  return project_(pass, heads);
}

Tensor SelfAttention::weights(Pass& pass, const Variable& x, Index batch) const {
  const Projections projections = mechanism_->project(pass, x);
  return attention_weights(projections.q, projections.k, attention_settings(pass, batch, x.shape()[0] / batch));
}

}  // namespace qisa
