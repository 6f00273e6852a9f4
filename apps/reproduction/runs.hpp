// The runs behind the paper's claims: which models are trained, and how.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/reproduction/results.hpp"
#include "nn/settings.hpp"
#include "nn/text/text_data.hpp"
#include "nn/text/tokenizer.hpp"
#include "nn/training/workers.hpp"

namespace qisa {

/// A mechanism, and how it makes weights of scores and applies them.
struct Variant {
  std::string attention;
  Aggregation aggregation;
  Normalizer normalizer;

  std::string name() const;  // "csa-causal", "qisa-v3-transposed-softmax"
};

/// Classical attention; then each of the others as published (transposed, softmax) and with the leak closed
/// (causal), by the published normalizer and by `sum`.
std::vector<Variant> paper_variants();

/// Sizes that all runs of a reproduction share. The rest is as in the paper: 1 head, AdamW at a constant 3e-3
/// with weight decay 0.01, dropout 0.2, no clipping.
struct Scale {
  Index n_layer = 6, n_embd = 16, block_size = 16;
  Index batch_size = 256, steps = 1500;

  /// Width 128 (7 qubits), batch 128, one epoch: as many windows as begin in a training text of so many characters.
  static Scale full(Index training_characters);
  /// For tests: some steps of a tiny model.
  static Scale quick();
};

/// What all runs learn and are evaluated on.
struct Text {
  std::string description, fingerprint;
  Tokenizer tokenizer;
  TextData data;
};

/// One model to train; `seed` decides Pauli strings, starting weights, batches and dropout.
struct Run {
  Variant variant;
  std::uint64_t seed;

  std::string name() const;  // "csa-causal-1"
};

/// All that decides a run's numbers but the kind of processor, by name.
std::map<std::string, std::string> settings_of(const Run& run, const Scale& scale, const Text& text);

/// Trains a model and evaluates it. Throws when the loss stops being a number, or the text suits no metric.
RunResult train_and_evaluate(const Run& run, const Scale& scale, const Text& text, Workers& workers);

}  // namespace qisa
