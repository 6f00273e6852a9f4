// Training: one step after the other.
#pragma once

#include <vector>

#include "nn/gpt.hpp"
#include "nn/text/text_data.hpp"
#include "nn/training/adamw.hpp"
#include "nn/training/workers.hpp"

namespace qisa {

struct TrainingSettings {
  Index batch_size = 32;  // sequences a step
  LearningRateSchedule learning_rate;
  AdamWSettings adamw;
  double grad_clip = 1;  // largest norm of the gradient; 0: no limit
  double dropout = 0;
  std::uint64_t seed = 1337;

  /// Throws when batch_size or dropout is out of range.
  void validate() const;
};

/// What a step reports.
struct StepReport {
  double loss;           // mean over the batch, in nats a token
  double gradient_norm;  // before clipping
  double learning_rate;
};

/// How a batch is cut: into shards of whole sequences that one thread computes. A function of the sizes
/// alone, so that results do not depend on the number of threads.
struct Sharding {
  Index shards, sequences;  // shards of `sequences` sequences; the last may be smaller
};
Sharding shard(Index batch, Index length);

/// `share` times the mean loss of a batch, in nats a token; its gradient is added to the flat buffer `gradient`.
double train_shard(const GPT& model, const Batch& batch, const Tensor& gradient, double dropout, DropoutStream stream,
                   double share);

class Trainer {
 public:
  /// `model`, `tokens` (the training text) and `workers` must outlive the trainer.
  /// Throws when a setting is out of range.
  Trainer(GPT& model, std::span<const std::int32_t> tokens, const TrainingSettings& settings, Workers& workers);

  /// One optimizer step on the batch that (seed, number of the step) determines. Throws, naming the step
  /// (counted from 1, as in logs), and leaves the weights as they were, when the loss or the gradient is
  /// not finite. After any other exception the trainer is of no further use.
  StepReport step();
  /// The halves of step(), for whoever must know when weights and optimizer change: in apply_gradient() alone, by the
  /// gradient that find_gradient() found before it. The exceptions are those of find_gradient().
  StepReport find_gradient();
  void apply_gradient();

  /// The optimizer's state; with the weights, all that another run needs to continue from here.
  AdamW& optimizer() { return optimizer_; }

 private:
  GPT* model_;
  std::span<const std::int32_t> tokens_;
  TrainingSettings settings_;
  Workers* workers_;
  AdamW optimizer_;
  Tensor gradient_;                      // the sum over shards
  std::vector<Tensor> shard_gradients_;  // one shard's, for each slot of the workers; 0 between steps
};

}  // namespace qisa
