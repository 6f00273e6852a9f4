#include "apps/shared/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "apps/shared/command_line.hpp"
#include "apps/shared/run_folder.hpp"
#include "nn/attention/mechanism.hpp"
#include "nn/training/workers.hpp"

namespace qisa {
namespace {

using Choices = std::vector<std::string>;

template <class Choice>
Choices names_of() {
  return {choices<Choice>.begin(), choices<Choice>.end()};
}

Choices mechanism_names() {
  Choices names;
  for (const MechanismEntry& entry : mechanisms()) names.push_back(entry.name);
  return names;
}

/// Options that a resumed run may give anew.
const Choices changeable = {"max_iters", "lr_decay_iters", "eval_interval", "eval_iters", "log_interval",
                            "keep",      "threads",        "data",          "out_dir"};

/// Calls visit(name, value, help, choices) for every option, in the order of the help.
template <class Options, class Visit>
void for_each_option(Options& o, Visit visit) {
  const Choices any;
  visit("attention", o.attention, "attention mechanism", mechanism_names());
  visit("normalizer", o.normalizer, "how Gaussian scores become weights (softmax: as published; csa has no choice)",
        names_of<Normalizer>());
  visit("aggregation", o.aggregation, "causal, or transposed as published, which reads the future",
        names_of<Aggregation>());
  visit("pauli", o.pauli, "Pauli strings: any, as published, or real (no odd number of Y, a dead output of qisa)",
        names_of<PauliChoice>());
  visit("n_layer", o.n_layer, "blocks", any);
  visit("n_head", o.n_head, "attention heads a block", any);
  visit("n_embd", o.n_embd, "width of the model, a multiple of n_head", any);
  visit("block_size", o.block_size, "context length in characters", any);
  visit("activation", o.activation, "of the feed-forward layer", names_of<Activation>());
  visit("tie_embeddings", o.tie_embeddings, "use the token embedding as output layer too", any);
  visit("init", o.init, "starting weights: as the paper's, or GPT's normal(0.02)", names_of<Initialization>());
  visit("score_scale", o.score_scale, "csa divides scores by the root of n_embd, or of the head's size",
        names_of<ScoreScale>());
  visit("batch_size", o.batch_size, "sequences a step", any);
  visit("max_iters", o.max_iters, "training steps", any);
  visit("learning_rate", o.learning_rate, "largest learning rate", any);
  visit("min_lr", o.min_lr, "learning rate at the end (-1: a tenth of learning_rate)", any);
  visit("warmup_iters", o.warmup_iters, "steps over which the learning rate rises", any);
  visit("lr_decay_iters", o.lr_decay_iters, "step at which min_lr is reached, along a cosine (-1: max_iters)", any);
  visit("weight_decay", o.weight_decay, "AdamW's weight decay", any);
  visit("decay", o.decay, "what decays: all parameters, or matrices only", Choices{"all", "matrices"});
  visit("beta1", o.beta1, "AdamW's decay rate of the first moment", any);
  visit("beta2", o.beta2, "AdamW's decay rate of the second moment", any);
  visit("grad_clip", o.grad_clip, "largest norm of the gradient (0: no limit)", any);
  visit("dropout", o.dropout, "dropout probability", any);
  visit("eval_interval", o.eval_interval, "steps between evaluations on the validation text", any);
  visit("eval_iters", o.eval_iters, "batches an evaluation (0: the whole validation text, as always at the end)", any);
  visit("log_interval", o.log_interval, "steps between log entries", any);
  visit("keep", o.keep, "newest checkpoints to keep as step-NUMBER, one an evaluation (0: only latest and best)", any);
  visit("seed", o.seed, "seed of weights, Pauli strings, batches and dropout", any);
  visit("threads", o.threads, "threads, at most one a processor; results do not depend on it (0: as many)", any);
  visit("data", o.data, "text file (UTF-8), or builtin (empty: data/shakespeare.txt if it is there, else builtin)",
        any);
  visit("out_dir", o.out_dir, "folder for checkpoints and log (empty: a new one in runs/)", any);
}

/// What is wrong with a path as that of a config file; empty if nothing is. A device could be read forever.
std::string config_problem(const std::string& path) {
  constexpr std::uintmax_t largest = 1 << 20;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return fmt::format("{}: {}", path, error ? error.message() : "it is not a file");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return size <= largest ? "" : fmt::format("{}: {} bytes are too many for a config file", path, size);
}

void check_interval(const char* name, Index value) {
  require(value >= 1, "{} must be at least 1, not {}", name, value);
}

}  // namespace

ModelSettings TrainOptions::model_settings(Index vocabulary_size) const {
  ModelSettings settings;
  settings.vocabulary_size = vocabulary_size;
  settings.n_layer = n_layer;
  settings.n_head = n_head;
  settings.n_embd = n_embd;
  settings.block_size = block_size;
  settings.attention = attention;
  read_setting("normalizer", normalizer, settings.normalizer);
  read_setting("aggregation", aggregation, settings.aggregation);
  read_setting("pauli", pauli, settings.pauli);
  read_setting("activation", activation, settings.activation);
  read_setting("init", init, settings.init);
  read_setting("score_scale", score_scale, settings.score_scale);
  settings.tie_embeddings = tie_embeddings;
  settings.validate();
  return settings;
}

TrainingSettings TrainOptions::training_settings() const {
  check_interval("max_iters", max_iters);
  require(max_iters <= Index{1} << 32, "max_iters must be at most {}, not {}", Index{1} << 32, max_iters);
  check_interval("eval_interval", eval_interval);
  check_interval("log_interval", log_interval);
  require(eval_iters >= 0 && eval_iters <= Index{1} << 32, "eval_iters must be from 0 to {}, not {}", Index{1} << 32,
          eval_iters);
  require(keep >= 0, "keep must be at least 0, not {}", keep);
  constexpr double largest = std::numeric_limits<Real>::max();
  require(learning_rate > 0 && learning_rate <= largest && min_lr >= 0 && min_lr <= learning_rate,
          "learning_rate {} and min_lr {}: the first must be positive and the second from 0 to it", learning_rate,
          min_lr);
  constexpr Index steps = Index{1} << 53;  // what floating point counts exactly
  require(warmup_iters >= 0 && lr_decay_iters >= 0 && warmup_iters < steps && lr_decay_iters < steps,
          "warmup_iters {} and lr_decay_iters {} must be from 0 to {}", warmup_iters, lr_decay_iters, steps - 1);
  require(weight_decay >= 0 && weight_decay <= largest && beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 &&
              grad_clip >= 0,
          "weight_decay {} and grad_clip {} must be at least 0, beta1 {} and beta2 {} at least 0 and less than 1",
          weight_decay, grad_clip, beta1, beta2);
  TrainingSettings settings;
  settings.batch_size = batch_size;
  settings.learning_rate = {learning_rate, min_lr, warmup_iters, lr_decay_iters};
  settings.adamw.beta1 = beta1;
  settings.adamw.beta2 = beta2;
  settings.adamw.weight_decay = weight_decay;
  settings.adamw.decay_all = decay == "all";
  settings.grad_clip = grad_clip;
  settings.dropout = dropout;
  settings.seed = seed;
  settings.validate();
  return settings;
}

namespace {

/// Reads the command line once; `base` is a config file that --config and the command line override.
TrainOptions parse_once(int argc, char** argv, const std::string& base) {
  CLI::App app("Train a small GPT with classical or quantum-inspired attention on a text.", "train");
  TrainOptions options;
  for_each_option(
      options, [&app](const std::string& name, auto& value, const std::string& help, const Choices& choices) {
        CLI::Option* option;
        if constexpr (std::is_same_v<std::remove_reference_t<decltype(value)>, bool>) {
          option = app.add_flag("--" + name, value, help);
        } else {
          // The text's path is understood without its option too.
          option = app.add_option(name == "data" ? "--data,data" : "--" + name, value, help)->capture_default_str();
        }
        if (!choices.empty()) option->check(CLI::IsMember(choices));
      });
  std::string resumed;
  const CLI::Option* resume =
      app.add_option("--resume", resumed,
                     fmt::format("continue the run in this folder (default: the newest in runs/); may change: {}",
                                 fmt::join(changeable.begin(), changeable.end() - 1, ", ")))
          ->expected(0, 1)
          ->configurable(false);
  app.add_flag("--overwrite", options.overwrite, "replace the run that --out_dir holds")
      ->configurable(false)
      ->excludes("--resume");
  app.set_config("--config", base, "file of the same options, one a line: name = value")->check(config_problem);
  app.allow_config_extras(CLI::config_extras_mode::error);
  parse_or_exit(app, argc, argv);
  options.resume = resume->count() > 0;
  if (options.resume) options.out_dir = resumed;
  return options;
}

/// Fills in what has no fixed default.
TrainOptions completed(TrainOptions options) {
  if (options.min_lr == -1) options.min_lr = options.learning_rate / 10;
  if (options.lr_decay_iters == -1) options.lr_decay_iters = options.max_iters;
  if (options.threads == 0) options.threads = available_processors();
  return options;
}

}  // namespace

TrainOptions parse_train_options(int argc, char** argv) {
  TrainOptions options = completed(parse_once(argc, argv, ""));
  if (!options.resume) return options;
  const std::filesystem::path folder =
      options.out_dir.empty() ? newest_resumable_run("runs") : std::filesystem::path(options.out_dir);
  const std::string config = folder / "config.toml";
  require(std::filesystem::exists(config), "{}: there is no run to resume in this folder", folder.string());
  const std::string problem = config_problem(config);
  require(problem.empty(), "{}", problem);
  options = completed(parse_once(argc, argv, config));
  options.out_dir = folder.string();
  const TrainOptions begun = completed(parse_once(1, argv, config));
  check_same_run(options.out_dir, run_identity(begun), run_identity(options));
  return options;
}

std::string to_config(const TrainOptions& options) {
  std::string text;
  for_each_option(options, [&text](const char* name, const auto& value, const char*, const Choices&) {
    if (std::string_view(name) == "out_dir") return;  // so that the file given back makes a new run
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
      require(value.find_first_of("#\"\n") == std::string::npos,
              "{} {}: a config file cannot hold a #, \" or line break", name, value);
      text += fmt::format("{} = \"{}\"\n", name, value);
    } else {
      text += fmt::format("{} = {}\n", name, value);
    }
  });
  return text;
}

std::map<std::string, std::string> run_identity(const TrainOptions& options) {
  std::map<std::string, std::string> identity;
  for_each_option(options, [&identity](const char* name, const auto& value, const char*, const Choices&) {
    if (std::find(changeable.begin(), changeable.end(), name) == changeable.end()) {
      identity[name] = fmt::format("{}", value);
    }
  });
  return identity;
}

void check_same_run(const std::string& folder, const std::map<std::string, std::string>& begun,
                    const std::map<std::string, std::string>& now) {
  for (const auto& [name, value] : begun) {
    const auto found = now.find(name);
    const std::string given = found == now.end() ? "nothing of that name" : found->second;
    require(given == value, "{}: this run has {} = {}, not {}; a resumed run must keep it", folder, name, value, given);
  }
}

}  // namespace qisa
