#include "nn/gpt.hpp"

#include "autograd/operations.hpp"

namespace qisa {
namespace {

ModelStrings draw_strings(const ModelSettings& settings, std::uint64_t seed) {
  settings.validate();
  Random random(seed, Purpose::pauli_strings);
  ModelStrings strings(settings.n_layer, LayerStrings(settings.n_head));
  if (!find_mechanism(settings.attention).measures) return strings;
  for (LayerStrings& layer : strings) {
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
    require(std::ssize(heads) == settings.n_head, "layer {} has Pauli strings of {} heads, not {}", layer, heads.size(),
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

Block::Block(const LayerContext& layer)
    : norm1_(layer.parameters, layer.name + ".norm1", layer.settings.n_embd),
      norm2_(layer.parameters, layer.name + ".norm2", layer.settings.n_embd),
      attention_({layer.parameters, layer.name + ".mhsa", layer.settings, layer.strings}),
      activation_(layer.settings.activation) {
  const ModelSettings& settings = layer.settings;
  const Index width = settings.n_embd;
  const std::string name = layer.name + ".feed_forward.layer";
  widen_ = Linear(layer.parameters, name + ".0", width, 4 * width, settings.weight_initial(width),
                  settings.bias_initial(width));
  narrow_ = Linear(layer.parameters, name + ".2", 4 * width, width, settings.weight_initial(4 * width, true),
                   settings.bias_initial(4 * width));
}

Variable Block::operator()(Pass& pass, const Variable& x, Index batch, LayerCache* cache, Tensor* weights) const {
  const auto residual = [&pass](const Variable& to, const Variable& from) {
    return add_dropout(to, from, pass.dropped(), pass.stream());
  };
  const Variable y = residual(x, attention_(pass, norm1_(pass, x), batch, cache, weights));
  return residual(y, narrow_(pass, widen_(pass, norm2_(pass, y), activation_)));
}

GPT::GPT(const ModelSettings& settings, std::uint64_t seed) : GPT(settings, draw_strings(settings, seed)) {
  parameters_.initialize(seed);
}

GPT::GPT(const ModelSettings& settings, ModelStrings strings)
    : settings_((check_strings(settings, strings), settings)),
      strings_(std::move(strings)),
      token_embedding_(parameters_.add("embedding.weight", {settings.vocabulary_size, settings.n_embd},
                                       settings.embedding_initial())),
      position_embedding_(parameters_.add("positional_embedding_table.weight", {settings.block_size, settings.n_embd},
                                          settings.embedding_initial())),
      norm_(parameters_, "norm", settings.n_embd) {
  for (std::size_t layer = 0; layer < strings_.size(); ++layer) {
    blocks_.emplace_back(LayerContext{parameters_, fmt::format("blocks.{}", layer), settings_, strings_[layer]});
  }
  output_ = settings.tie_embeddings
                ? Linear(token_embedding_)
                : Linear(parameters_, "fc", settings.n_embd, settings.vocabulary_size,
                         settings.weight_initial(settings.n_embd), settings.bias_initial(settings.n_embd));
}

Variable GPT::hidden(Pass& pass, std::span<const std::int32_t> tokens, Index batch, Index layers,
                     GenerationCache* cache, Tensor* weights) const {
  const Index count = std::ssize(tokens), length = count / std::max<Index>(batch, 1);
  const Index first = cache ? cache->front().length : 0;
  require(batch >= 1 && count == batch * length && length >= 1, "{} tokens are not {} sequences of one length", count,
          batch);
  require(first + length <= settings_.block_size, "a context of {} tokens; the model's block_size is {}",
          first + length, settings_.block_size);
  std::vector<std::int32_t> positions(tokens.size());
  for (Index i = 0; i < count; ++i) positions[i] = static_cast<std::int32_t>(first + i % length);
  Variable x = gather(pass(token_embedding_), tokens) + gather(pass(position_embedding_), positions);
  for (Index layer = 0; layer < layers; ++layer) {
    x = blocks_[layer](pass, x, batch, cache ? &(*cache)[layer] : nullptr, layer + 1 == layers ? weights : nullptr);
  }
  return x;
}

Variable GPT::logits(Pass& pass, std::span<const std::int32_t> tokens, Index batch, GenerationCache* cache) const {
  require(!cache || batch == 1, "a cache holds one sequence, not {}", batch);
  return output_(pass, norm_(pass, hidden(pass, tokens, batch, settings_.n_layer, cache, nullptr)));
}

Tensor GPT::attention_weights(Pass& pass, std::span<const std::int32_t> tokens, Index batch, Index layer) const {
  require(layer >= 0 && layer < settings_.n_layer, "layer {} of a model of {} layers", layer, settings_.n_layer);
  Tensor weights;
  hidden(pass, tokens, batch, layer + 1, nullptr, &weights);
  return weights;
}

GenerationCache GPT::new_cache() const {
  require(settings_.aggregation == Aggregation::causal,
          "with transposed aggregation every position reads later tokens, so nothing can be cached");
  GenerationCache cache;
  for (Index layer = 0; layer < settings_.n_layer; ++layer) {
    const Shape shape = {settings_.block_size, settings_.n_embd};
    cache.push_back({Tensor(shape), Tensor(shape), 0});
  }
  return cache;
}

}  // namespace qisa
