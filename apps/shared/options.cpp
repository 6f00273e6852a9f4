#include "apps/shared/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "apps/shared/command_line.hpp"
#include "apps/shared/config_value.hpp"
#include "apps/shared/nearest.hpp"
#include "apps/shared/run_folder.hpp"
#include "nn/attention/mechanism.hpp"
#include "nn/training/workers.hpp"

namespace qisa {
namespace {

using Choices = std::vector<std::string>;

/// Options that a resumed run may give anew.
const Choices changeable = {"max_iters",       "lr_decay_iters", "eval_interval", "eval_iters", "log_interval",
                            "sample_interval", "keep",           "threads",       "data",       "out_dir"};

/// Calls visit(name, value, help) for every option, in the order of the help.
template <class Options, class Visit>
void for_each_option(Options& o, const Visit& visit) {
  for_each_setting(o.model, [&visit](const std::string& name, auto& value, const char* help, auto) {
    if (name != "vocabulary_size") visit(name, value, help);
  });
  visit("batch_size", o.batch_size, "sequences a step");
  visit("max_iters", o.max_iters, "training steps");
  visit("learning_rate", o.learning_rate, "largest learning rate");
  visit("min_lr", o.min_lr, "learning rate at the end (-1: a tenth of learning_rate)");
  visit("warmup_iters", o.warmup_iters, "steps over which the learning rate rises");
  visit("lr_decay_iters", o.lr_decay_iters, "step at which min_lr is reached, along a cosine (-1: max_iters)");
  visit("weight_decay", o.weight_decay, "AdamW's weight decay");
  visit("decay", o.decay, "what decays: all parameters, or matrices only");
  visit("beta1", o.beta1, "AdamW's decay rate of the first moment");
  visit("beta2", o.beta2, "AdamW's decay rate of the second moment");
  visit("grad_clip", o.grad_clip, "largest norm of the gradient (0: no limit)");
  visit("dropout", o.dropout, "dropout probability");
  visit("eval_interval", o.eval_interval, "steps between evaluations on the validation text");
  visit("eval_iters", o.eval_iters, "batches an evaluation (0: the whole validation text, as always at the end)");
  visit("log_interval", o.log_interval, "steps between log entries");
  visit("sample_interval", o.sample_interval, "steps between lines of text that the model writes (0: none)");
  visit("keep", o.keep, "newest checkpoints to keep as step-NUMBER, one an evaluation (0: only latest and best)");
  visit("seed", o.seed, "seed of weights, Pauli strings, batches and dropout");
  visit("threads", o.threads, "threads, at most one a processor; results do not depend on it (0: as many)");
  visit("data", o.data, "text file (UTF-8), or builtin (empty: data/shakespeare.txt if it is there, else builtin)");
  visit("init_from", o.init_from,
        "checkpoint file or run's folder whose model and weights to begin from (empty: new weights)");
  visit("out_dir", o.out_dir, "folder for checkpoints and log (empty: a new one in runs/)");
}

/// What an option may be, by name; none if anything of its type.
template <class Value>
Choices choices_of(const std::string& name) {
  Choices names(choices<Value>.begin(), choices<Value>.end());
  if (name == "decay") names = {"all", "matrices"};
  if (name == "attention") {
    for (const MechanismEntry& entry : mechanisms()) names.push_back(entry.name);
  }
  return names;
}

/// Reads a config file into the options. Throws an Error that names its line when an entry is none of theirs.
void read_into(TrainOptions& options, const std::string& path, bool are_given) {
  auto entries = read_config(path);
  Choices names;
  for_each_option(options, [&]<class Value>(const std::string& name, Value& value, const char*) {
    names.push_back(name);
    const auto node = entries.extract(name);
    if (node.empty()) return;
    const ConfigEntry& entry = node.mapped();
    const Choices known = choices_of<Value>(name);
    const std::string wanted =
        known.empty() || std::is_same_v<Value, bool> ? kind_of<Value>() : fmt::format("{}", fmt::join(known, " or "));
    const bool good = from_entry(entry.value, value);
    const bool among = known.empty() || std::is_same_v<Value, bool> ||
                       std::find(known.begin(), known.end(), text_of(entry.value)) != known.end();
    require(good && among, "{}: {} must be {}, not {}", entry.place, name, wanted, text_of(entry.value));
    if (are_given) options.given.insert(name);
  });
  for (const auto& [name, entry] : entries) {
    throw_error("{}: there is no setting {}{}", entry.place, name, did_you_mean(name, names, ""));
  }
}

/// Makes an option of the command line.
template <class Value>
CLI::Option* add_option(CLI::App& app, const std::string& name, Value& value, const std::string& help) {
  const Choices known = choices_of<Value>(name);
  CLI::Option* option = nullptr;
  if constexpr (std::is_same_v<Value, bool>) {
    return app.add_flag("--" + name, value, help);
  } else if constexpr (is_choice<Value>) {
    const auto read = [name, &value](const std::string& text) { read_setting(name, text, value); };
    option = app.add_option_function<std::string>("--" + name, read, help)->default_str(name_of(value));
  } else {
    // The text's path is understood without its option too.
    option = app.add_option(name == "data" ? "--data,data" : "--" + name, value, help)->capture_default_str();
  }
  if (!known.empty()) option->check(CLI::IsMember(known));
  return option;
}

/// Reads the command line once; it goes before `config`, the file that it names, and that before `base`.
struct Parsed {
  TrainOptions options;
  std::string config;  // that --config names
};

Parsed parse_once(int argc, char** argv, const std::string& base, const std::string& config) {
  CLI::App app("Train a small GPT with classical or quantum-inspired attention on a text.", "train");
  Parsed parsed;
  TrainOptions& options = parsed.options;
  if (!base.empty()) read_into(options, base, false);
  if (!config.empty()) read_into(options, config, true);
  for_each_option(
      options, [&app](const std::string& name, auto& value, const char* help) { add_option(app, name, value, help); });
  std::string resumed;
  const CLI::Option* resume =
      app.add_option("--resume", resumed,
                     fmt::format("continue the run in this folder (default: the newest in runs/); may change: {}",
                                 fmt::join(changeable.begin(), changeable.end() - 1, ", ")))
          ->expected(0, 1);
  app.add_flag("--overwrite", options.overwrite, "replace the run that --out_dir holds")->excludes("--resume");
  app.add_option("--config", parsed.config, "TOML file of the same options, one a line: name = value");
  parse_or_exit(app, argc, argv);
  for (const std::string& name : option_names(app)) {
    if (app.count("--" + name) > 0) options.given.insert(name);
  }
  if (app.count("--init_from") > 0 && options.init_from.empty()) {
    throw Exit{2, "train: --init_from is empty; give a checkpoint, or leave it out for new weights (see --help)\n"};
  }
  options.resume = resume->count() > 0;
  if (options.resume) options.out_dir = resumed;
  return parsed;
}

/// Reads the command line and the file that it names. Exits with 2 when that file is wrong.
TrainOptions parse(int argc, char** argv, const std::string& base) {
  const Parsed first = parse_once(argc, argv, "", "");
  if (!first.options.given.contains("config")) return parse_once(argc, argv, base, "").options;
  try {
    TrainOptions only_to_see;
    read_into(only_to_see, first.config, false);
  } catch (const Error& error) {
    throw Exit{2, fmt::format("train: --config: {} (see --help)\n", error.what())};
  }
  return parse_once(argc, argv, base, first.config).options;
}

void check_interval(const char* name, Index value) {
  require(value >= 1, "{} must be at least 1, not {}", name, value);
}

}  // namespace

TrainOptions TrainOptions::resolved() const {
  TrainOptions options = *this;
  // To 15 digits, which a double keeps: 0.003 / 10 is 0.00030000000000000003 in binary.
  if (min_lr == -1) options.min_lr = std::stod(fmt::format("{:.15g}", learning_rate / 10));
  if (lr_decay_iters == -1) options.lr_decay_iters = max_iters;
  if (threads == 0) options.threads = available_processors();
  return options;
}

ModelSettings TrainOptions::model_settings(Index vocabulary_size) const {
  ModelSettings settings = model;
  settings.vocabulary_size = vocabulary_size;
  settings.validate();
  return settings;
}

TrainingSettings TrainOptions::training_settings() const {
  constexpr double largest = std::numeric_limits<Real>::max();
  constexpr Index most = Index{1} << 32, countable = Index{1} << 53;  // what floating point counts exactly
  check_interval("max_iters", max_iters);
  check_interval("eval_interval", eval_interval);
  check_interval("log_interval", log_interval);
  require(max_iters <= most, "max_iters must be at most {}, not {}", most, max_iters);
  require(eval_iters >= 0 && eval_iters <= most, "eval_iters must be from 0 to {}, not {}", most, eval_iters);
  require(keep >= 0, "keep must be at least 0, not {}", keep);
  require(sample_interval >= 0, "sample_interval must be at least 0, not {}", sample_interval);
  require(learning_rate > 0 && learning_rate <= largest && min_lr >= 0 && min_lr <= learning_rate,
          "learning_rate {} and min_lr {}: the first must be positive and the second from 0 to it", learning_rate,
          min_lr);
  require(warmup_iters >= 0 && lr_decay_iters >= 0 && warmup_iters < countable && lr_decay_iters < countable,
          "warmup_iters {} and lr_decay_iters {} must be from 0 to {}", warmup_iters, lr_decay_iters, countable - 1);
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

TrainOptions parse_train_options(int argc, char** argv) {
  const TrainOptions options = parse(argc, argv, "");
  if (!options.resume) return options;
  const std::filesystem::path folder =
      options.out_dir.empty() ? newest_resumable_run("runs") : std::filesystem::path(options.out_dir);
  const std::string config = folder / "config.toml";
  require(std::filesystem::exists(config), "{}: there is no run to resume in this folder", folder.string());
  TrainOptions begun;
  read_into(begun, config, false);
  TrainOptions resumed = parse(argc, argv, config);
  resumed.out_dir = folder.string();
  // The schedule stays the one that the run began with, also with another number of steps.
  if (!resumed.given.contains("lr_decay_iters")) resumed.lr_decay_iters = begun.lr_decay_iters;
  if (!resumed.given.contains("lr_decay_iters") && resumed.max_iters != begun.max_iters) {
    resumed.lr_decay_iters = begun.resolved().lr_decay_iters;
  }
  check_same_run(resumed.out_dir, run_identity(begun.resolved()), run_identity(resumed.resolved()));
  return resumed;
}

std::vector<std::pair<std::string, ConfigValue>> list_of(const TrainOptions& options) {
  std::vector<std::pair<std::string, ConfigValue>> list;
  for_each_option(options, [&list](const std::string& name, const auto& value, const char*) {
    list.emplace_back(name, to_entry(value));
  });
  return list;
}

std::string to_config(const TrainOptions& options) {
  std::string text;
  for (const auto& [name, value] : list_of(options)) text += name == "out_dir" ? "" : config_line(name, value);
  return text;
}

std::map<std::string, std::string> run_identity(const TrainOptions& options) {
  std::map<std::string, std::string> identity;
  for (const auto& [name, value] : list_of(options)) {
    if (std::find(changeable.begin(), changeable.end(), name) == changeable.end()) identity[name] = text_of(value);
  }
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
