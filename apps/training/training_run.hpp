// A training under way: steps, what is due after them, and a save at any moment.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "apps/shared/options.hpp"
#include "apps/shared/progress.hpp"
#include "apps/shared/run_folder.hpp"
#include "nn/files/checkpoint.hpp"
#include "nn/training/trainer.hpp"

namespace qisa {

/// Weights change only when the optimizer steps, so that the last step can be saved while the next one is computed. A
/// lock is held while weights change, and while files of a step are written.
class TrainingRun {
 public:
  /// All that it is given must outlive it; `options` are resolved, `state` is where the run stands.
  TrainingRun(const TrainOptions& options, GPT& model, const Tokenizer& tokenizer, Trainer& trainer,
              std::span<const std::int32_t> validation, Workers& workers, RunFolder& folder, Progress& progress,
              TrainingState state);

  /// Trains to the end: step, evaluate, log, save. Throws when numbers are not finite or a file cannot be written.
  void run();
  /// Saves the last finished step, says so, and ends the program with 128 + `signal`, or with 1 if it cannot be
  /// saved. Called by another thread than run(), at any moment; returns only when the run has ended by itself.
  void stop(int signal);

 private:
  void step();
  void report();
  void finish();
  double validate(Index most_windows);
  void save(const std::filesystem::path& path);
  std::string writing();

  const TrainOptions& options_;
  GPT& model_;
  const Tokenizer& tokenizer_;
  Trainer& trainer_;
  std::span<const std::int32_t> validation_;
  Workers& workers_;
  RunFolder& folder_;
  Progress& progress_;
  StepClock clock_;
  std::optional<double> final_loss_;  // on the whole validation text

  std::mutex mutex_;  // of weights, optimizer, and what follows
  TrainingState state_;
  bool ended_ = false;
};

}  // namespace qisa
