// What is timed: the paper's model, and its inference on a batch of random text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/gpt.hpp"
#include "nn/training/workers.hpp"

namespace qisa {

/// The paper's setting: 6 layers, 1 head, context 16, the 65 characters of tiny Shakespeare.
ModelSettings paper_settings(const std::string& attention, Index n_embd);

/// Characters of tiny Shakespeare, each as likely as any other.
std::vector<std::int32_t> random_text(Index count);

/// A model with random weights, and a batch for it.
class BatchInference {
 public:
  /// `batch` sequences of settings.block_size characters. Runs once, which fills the pools and prepares circuits.
  BatchInference(const ModelSettings& settings, Index batch, CircuitKernel kernel, Workers& workers);
  BatchInference(const BatchInference&) = delete;
  BatchInference& operator=(const BatchInference&) = delete;

  /// The logits of the batch, cut into shards over all threads as training does.
  void run();

  const GPT& model() const { return model_; }
  /// Characters of the batch.
  Index characters() const { return std::ssize(text_); }

 private:
  GPT model_;
  Index batch_;
  std::vector<std::int32_t> text_;
  std::vector<Pass> passes_;
  Workers* workers_;
};

}  // namespace qisa
