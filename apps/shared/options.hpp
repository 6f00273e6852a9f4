// The options of `train`: names, defaults and help, on the command line and in a config file.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apps/shared/config_file.hpp"
#include "nn/settings.hpp"
#include "nn/training/trainer.hpp"

namespace qisa {

struct TrainOptions {
  /// All but vocabulary_size, which the text determines. The default model is small enough to train in a few minutes
  /// on two cores.
  ModelSettings model = {.n_layer = 4, .n_head = 4, .n_embd = 64, .block_size = 64};

  Index batch_size = 16, max_iters = 6000;
  double learning_rate = 3e-3, min_lr = -1;
  Index warmup_iters = 100, lr_decay_iters = -1;
  double weight_decay = 0.01, beta1 = 0.9, beta2 = 0.999, grad_clip = 1, dropout = 0;
  std::string decay = "all";
  Index eval_interval = 500, eval_iters = 0, log_interval = 50, sample_interval = 0, keep = 0;
  std::uint64_t seed = 1337;
  int threads = 0;
  std::string data, init_from, out_dir;

  bool resume = false;          // continue the run in out_dir
  bool overwrite = false;       // replace the run in out_dir
  std::set<std::string> given;  // names of the options that a person gave, on the command line or by --config

  /// With what is computed from other options in place of its default: min_lr, lr_decay_iters, threads.
  TrainOptions resolved() const;
  /// The model's settings. Throws what validate() throws.
  ModelSettings model_settings(Index vocabulary_size) const;
  /// The trainer's settings, of resolved options. Throws when any option but the model's is out of range.
  TrainingSettings training_settings() const;
};

/// Reads the command line, and the file that --config names, which it overrides. With --resume the run's config.toml
/// is read before both; throws when there is none, or they would make it another run. Prints help or one line of
/// complaint and exits the program when there is nothing to run.
TrainOptions parse_train_options(int argc, char** argv);

/// Name and value of every option, in the order of the help.
std::vector<std::pair<std::string, ConfigValue>> list_of(const TrainOptions& options);

/// The options as a config file that --config reads back, but for out_dir: a run that is repeated is a new one.
std::string to_config(const TrainOptions& options);

/// The options that make a run what it is, by name: what a resumed run must have in common with its
/// beginning. Missing are those that may change: max_iters, lr_decay_iters, the intervals, keep,
/// threads, and where text and run lie.
std::map<std::string, std::string> run_identity(const TrainOptions& options);

/// Throws, naming the first setting that differs, unless all that a run began with is so `now` too.
void check_same_run(const std::string& folder, const std::map<std::string, std::string>& begun,
                    const std::map<std::string, std::string>& now);

}  // namespace qisa
