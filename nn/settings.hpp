// What a model is made of. A checkpoint holds these; two models with the same settings and weights
// compute the same.
#pragma once

#include <map>
#include <string>

#include "autograd/attention.hpp"
#include "nn/parameters.hpp"
#include "nn/setting_text.hpp"
#include "quantum/pauli.hpp"
#include "tensor/activation.hpp"

namespace qisa {

enum class Initialization { paper, gpt };   // PyTorch's defaults; or GPT's normal(0.02)
enum class ScoreScale { embedding, head };  // csa divides by sqrt(n_embd), as published; or sqrt(head_size)

struct ModelSettings {
  Index vocabulary_size = 0;
  Index n_layer = 6;
  Index n_head = 1;
  Index n_embd = 16;
  Index block_size = 16;
  std::string attention = "qisa-v3";
  Normalizer normalizer = Normalizer::sum;
  Aggregation aggregation = Aggregation::causal;
  PauliChoice pauli = PauliChoice::published;
  Activation activation = Activation::relu;
  Initialization init = Initialization::paper;
  ScoreScale score_scale = ScoreScale::embedding;
  bool tie_embeddings = false;

  Index head_size() const { return n_embd / n_head; }
  /// Throws when a number is out of range, n_embd is no multiple of n_head, or there is no such mechanism.
  void validate() const;

  /// How weights and biases of a layer with `fan_in` inputs start. `residual`: it adds to the residual stream.
  Initial weight_initial(Index fan_in, bool residual = false) const;
  Initial bias_initial(Index fan_in) const;
  Initial embedding_initial() const;
};

/// The table of settings: calls visit(name, member, help, largest) for each of them. A number is from 1 to
/// `largest`; the other kinds of members are texts, booleans and enumerations.
template <class Settings, class Visit>
requires std::is_same_v<std::remove_const_t<Settings>, ModelSettings>
void for_each_setting(Settings& s, const Visit& visit) {
  visit("vocabulary_size", s.vocabulary_size, "characters that the text is made of", 0x110000);
  visit("attention", s.attention, "attention mechanism", 0);
  visit("normalizer", s.normalizer, "how Gaussian scores become weights (softmax: as published; csa has no choice)", 0);
  visit("aggregation", s.aggregation, "causal, or transposed as published, which reads the future", 0);
  visit("pauli", s.pauli, "Pauli strings: any, as published, or real (no odd number of Y, a dead output of qisa)", 0);
  visit("n_layer", s.n_layer, "blocks", 1000);
  visit("n_head", s.n_head, "attention heads a block", 1000);
  visit("n_embd", s.n_embd, "width of the model, a multiple of n_head", 1 << 16);  // the most wires of a circuit
  visit("block_size", s.block_size, "context length in characters", 1 << 20);
  visit("activation", s.activation, "of the feed-forward layer", 0);
  visit("tie_embeddings", s.tie_embeddings, "use the token embedding as output layer too", 0);
  visit("init", s.init, "starting weights: as the paper's, or GPT's normal(0.02)", 0);
  visit("score_scale", s.score_scale, "csa divides scores by the root of n_embd, or of the head's size", 0);
}

// The names of the choices, on the command line and in files, in the order of the enumeration.
template <>
inline constexpr std::array choices<Normalizer>{"sum", "softmax"};
template <>
inline constexpr std::array choices<Aggregation>{"causal", "transposed"};
template <>
inline constexpr std::array choices<PauliChoice>{"published", "real"};
template <>
inline constexpr std::array choices<Activation>{"relu", "gelu"};
template <>
inline constexpr std::array choices<Initialization>{"paper", "gpt"};
template <>
inline constexpr std::array choices<ScoreScale>{"embd", "head"};

/// Settings as text, by the names of the command line: {"n_layer", "6"}, {"attention", "qisa-v3"}, …
std::map<std::string, std::string> to_text(const ModelSettings& settings);

/// The inverse. Throws on a missing, unknown or malformed entry, by name.
ModelSettings settings_from_text(const std::map<std::string, std::string>& text);

}  // namespace qisa
