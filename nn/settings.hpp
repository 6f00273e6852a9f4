// What a model is made of. A checkpoint holds these; two models with the same settings and weights
// compute the same.
#pragma once

#include <map>
#include <string>

#include "autograd/attention.hpp"
#include "nn/parameters.hpp"
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
  Index block_size = 16;  // longest context, in tokens
  std::string attention = "qisa-v3";
  Normalizer normalizer = Normalizer::sum;
  Aggregation aggregation = Aggregation::causal;
  PauliChoice pauli = PauliChoice::published;
  Activation activation = Activation::relu;
  Initialization init = Initialization::paper;
  ScoreScale score_scale = ScoreScale::embedding;
  bool tie_embeddings = false;  // the output layer uses the token embedding

  Index head_size() const { return n_embd / n_head; }
  /// Throws when a number is out of range, n_embd is no multiple of n_head, or there is no such mechanism.
  void validate() const;

  /// How weights and biases of a layer with `fan_in` inputs start. `residual`: it adds to the residual stream.
  Initial weight_initial(Index fan_in, bool residual = false) const;
  Initial bias_initial(Index fan_in) const;
  Initial embedding_initial() const;
};

/// Settings as text, by the names of the command line: {"n_layer", "6"}, {"attention", "qisa-v3"}, …
std::map<std::string, std::string> to_text(const ModelSettings& settings);

/// The inverse. Throws on a missing, unknown or malformed entry, by name.
ModelSettings settings_from_text(const std::map<std::string, std::string>& text);

// The names of the choices, as on the command line.
extern const std::map<std::string, Normalizer> normalizer_names;
extern const std::map<std::string, Aggregation> aggregation_names;
extern const std::map<std::string, PauliChoice> pauli_names;
extern const std::map<std::string, Activation> activation_names;
extern const std::map<std::string, Initialization> initialization_names;
extern const std::map<std::string, ScoreScale> score_scale_names;

/// The name of a choice, from one of the tables above.
template <class Choice>
const std::string& name_of(const std::map<std::string, Choice>& names, Choice choice) {
  for (const auto& [name, value] : names) {
    if (value == choice) return name;
  }
  throw_error("a choice without a name: {}", static_cast<int>(choice));
}

}  // namespace qisa
