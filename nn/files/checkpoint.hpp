// A checkpoint: one safetensors file that holds a model and how far its training has come.
//
// Weights stand under the names of the paper's published code. The metadata has the model's settings
// ("settings", JSON), the vocabulary ("vocabulary", its characters in order) and the Pauli strings
// ("pauli_strings", JSON indexed [layer][head][m]). The trainer's state has names that begin with
// "trainer/", which readers of models pass over. Files of the published code can be loaded too:
// published_checkpoint.hpp.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "nn/gpt.hpp"
#include "nn/text/tokenizer.hpp"
#include "nn/training/trainer.hpp"

namespace qisa {

/// Where a training run stands: with the weights, all that it needs to go on.
struct TrainingState {
  Index steps = 0;  // optimizer steps done
  Tensor first_moment, second_moment;
  double best_loss = 0;                         // smallest validation loss so far; infinite before the first
  std::map<std::string, std::string> settings;  // training settings by name, as text
  std::string data;                             // where the text is; empty in files of before it was kept
  /// Of the last step, where its evaluation and its line in the log are still to come.
  std::optional<StepReport> unreported = {};
};

struct Checkpoint {
  GPT model;
  Tokenizer tokenizer;
  std::optional<TrainingState> training;
};

/// Replaces the file at once, as write_atomically() does; throws what that throws.
void save_checkpoint(const std::filesystem::path& path, const GPT& model, const Tokenizer& tokenizer,
                     const TrainingState* training);

/// What to do about weights that are infinite or no numbers: such a model computes nothing of use, but can be
/// looked at.
enum class NonFinite { refuse, allow };

/// Throws, naming the tensor or setting and what was expected, when the file is no such checkpoint. Memory for
/// the model is taken only once the file is known to hold all of its tensors, and nothing else.
Checkpoint load_checkpoint(const std::filesystem::path& path, NonFinite weights = NonFinite::refuse);

}  // namespace qisa
