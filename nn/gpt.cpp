#include "nn/gpt.hpp"

#include "autograd/operations.hpp"

namespace qisa {
namespace {

ModelStrings draw_strings(const ModelSettings& settings, std::uint64_t seed) {
  settings.validate();
  Random random(seed, Purpose::pauli_strings);
  ModelStrings strings(static_cast<std::size_t>(settings.n_layer));
  for (LayerStrings& layer : strings) {
    layer.resize(static_cast<std::size_t>(settings.n_head));
    if (!find_mechanism(settings.attention).measures) continue;
    for (auto& head : layer) {
      head = draw_pauli_strings(random, wires_for(settings.n_embd), static_cast<int>(settings.head_size()),
                                settings.pauli);
    }
  }
  return strings;
}

void check_strings(const ModelSettings& settings, const ModelStrings& strings) {
  settings.validate();
  const Index count = find_mechanism(settings.attention).measures ? settings.head_size() : 0;
  const int wires = wires_for(settings.n_embd);
  require(std::ssize(strings) == settings.n_layer, "Pauli strings of {} layers where the settings ask for {}",
          strings.size(), settings.n_layer);
  for (std::size_t layer = 0; layer < strings.size(); ++layer) {
    const LayerStrings& heads = strings[layer];
    require(std::ssize(heads) == settings.n_head,
            "layer {} has Pauli strings of {} heads where the settings ask for {}", layer, heads.size(),
            settings.n_head);
    for (std::size_t head = 0; head < heads.size(); ++head) {
      const std::string place = fmt::format("layer {}, head {} has", layer, head);
      require(std::ssize(heads[head]) == count, "{} {} Pauli strings, not {}", place, heads[head].size(), count);
      for (const PauliString& string : heads[head]) {
        require(string.wires() == wires, "{} the Pauli string {} in a model of {} wires", place, string.text(), wires);
        require(settings.pauli == PauliChoice::published || string.is_real(),
                "{} the Pauli string {} with an odd number of Y in a model of real strings", place, string.text());
      }
    }
  }
}

}  // namespace

FeedForward::FeedForward(Parameters& parameters, const std::string& name, const ModelSettings& settings)
    : activation_(settings.activation),
      widen_(parameters, name + ".layer.0", settings.n_embd, 4 * settings.n_embd,
             settings.weight_initial(settings.n_embd), settings.bias_initial(settings.n_embd)),
      narrow_(parameters, name + ".layer.2", 4 * settings.n_embd, settings.n_embd,
              settings.weight_initial(4 * settings.n_embd, true), settings.bias_initial(4 * settings.n_embd)) {}

Variable FeedForward::operator()(Pass& pass, const Variable& x) const {
  return narrow_(pass, widen_(pass, x, activation_));
}

Block::Block(Parameters& parameters, const std::string& name, const ModelSettings& settings,
             const LayerStrings& strings)
    : norm1_(parameters, name + ".norm1", settings.n_embd),
      norm2_(parameters, name + ".norm2", settings.n_embd),
      attention_(parameters, name + ".mhsa", settings, strings),
      feed_forward_(parameters, name + ".feed_forward", settings) {}

Variable Block::operator()(Pass& pass, const Variable& x, Index batch, LayerCache* cache) const {
  const auto residual = [&pass](const Variable& to, const Variable& from) {
    return add_dropout(to, from, pass.dropped(), pass.stream());
  };
  const Variable y = residual(x, attention_(pass, norm1_(pass, x), batch, cache));
  return residual(y, feed_forward_(pass, norm2_(pass, y)));
}

Tensor Block::attention_weights(Pass& pass, const Variable& x, Index batch) const {
  return attention_.weights(pass, norm1_(pass, x), batch);
}

GPT::GPT(const ModelSettings& settings, std::uint64_t seed) : GPT(settings, draw_strings(settings, seed), seed) {}

GPT::GPT(const ModelSettings& settings, ModelStrings strings, std::uint64_t seed) : GPT(settings, std::move(strings)) {
  parameters_.initialize(seed);
}

GPT::GPT(const ModelSettings& settings, ModelStrings strings)
    : settings_((check_strings(settings, strings), settings)),
      strings_(std::move(strings)),
      token_embedding_(parameters_, "embedding", settings.vocabulary_size, settings.n_embd,
                       settings.embedding_initial()),
      position_embedding_(parameters_, "positional_embedding_table", settings.block_size, settings.n_embd,
                          settings.embedding_initial()),
      norm_(parameters_, "norm", settings.n_embd) {
  blocks_.reserve(strings_.size());
  for (std::size_t layer = 0; layer < strings_.size(); ++layer) {
    blocks_.emplace_back(parameters_, fmt::format("blocks.{}", layer), settings_, strings_[layer]);
  }
  if (!settings_.tie_embeddings) {
    output_.emplace(parameters_, "fc", settings_.n_embd, settings_.vocabulary_size,
                    settings_.weight_initial(settings_.n_embd), settings_.bias_initial(settings_.n_embd));
  }
}

Variable GPT::embed(Pass& pass, std::span<const std::int32_t> tokens, Index batch, Index first) const {
  const Index count = std::ssize(tokens), length = count / std::max<Index>(batch, 1);
  require(batch >= 1 && count == batch * length && length >= 1, "{} tokens are not {} sequences of one length", count,
          batch);
  require(first + length <= settings_.block_size, "a context of {} tokens; the model's block_size is {}",
          first + length, settings_.block_size);
  std::vector<std::int32_t> positions(tokens.size());
  for (Index i = 0; i < count; ++i) {
    positions[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(first + i % length);
  }
  return token_embedding_(pass, tokens) + position_embedding_(pass, positions);
}

Variable GPT::logits(Pass& pass, std::span<const std::int32_t> tokens, Index batch, GenerationCache* cache) const {
  require(!cache || batch == 1, "a cache holds one sequence, not {}", batch);
  Variable x = embed(pass, tokens, batch, cache ? cache->length : 0);
  for (std::size_t layer = 0; layer < blocks_.size(); ++layer) {
    x = blocks_[layer](pass, x, batch, cache ? &cache->layers[layer] : nullptr);
  }
  if (cache) cache->length += std::ssize(tokens);
  x = norm_(pass, x);
  return output_ ? (*output_)(pass, x) : linear(x, pass(token_embedding_.table()));
}

Tensor GPT::attention_weights(Pass& pass, std::span<const std::int32_t> tokens, Index batch, Index layer) const {
  require(layer >= 0 && layer < settings_.n_layer, "layer {} of a model of {} layers", layer, settings_.n_layer);
  Variable x = embed(pass, tokens, batch, 0);
  for (std::size_t below = 0; below < static_cast<std::size_t>(layer); ++below) {
    x = blocks_[below](pass, x, batch, nullptr);
  }
  return blocks_[static_cast<std::size_t>(layer)].attention_weights(pass, x, batch);
}

GenerationCache GPT::new_cache() const {
  require(settings_.aggregation == Aggregation::causal,
          "with transposed aggregation every position reads later tokens, so nothing can be cached");
  GenerationCache cache;
  for (Index layer = 0; layer < settings_.n_layer; ++layer) {
    const Shape shape = {settings_.block_size, settings_.n_embd};
    cache.layers.push_back({Tensor(shape), Tensor(shape), 0});
  }
  return cache;
}

Index GPT::parameters_a_head() const {
  Index count = 0;
  for (const NamedParameter& part : parameters_.names()) {
    if (part.name.starts_with("blocks.0.mhsa.heads.0.")) count += part.shape.size();
  }
  return count;
}

}  // namespace qisa
