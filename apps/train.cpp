// Trains a model: read the options, make data, model and trainer, then one loop (training/training_run.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/shared/command_line.hpp"
#include "apps/shared/corpus.hpp"
#include "apps/shared/memory.hpp"
#include "apps/shared/numbers.hpp"
#include "apps/training/checkpoints.hpp"
#include "apps/training/signals.hpp"
#include "apps/training/training_run.hpp"
#include "nn/text/utf8.hpp"
#include "tensor/fast/blas_kernel.hpp"

using namespace qisa;

namespace {

/// The characters that a text brought into the vocabulary of --init_from's model.
std::string new_characters(const TrainOptions& options, const Tokenizer& tokenizer) {
  const Index known = options.model.vocabulary_size, count = tokenizer.size() - known;
  std::string names;
  for (Index i = known; i < std::min(tokenizer.size(), known + 10); ++i) {
    names += (names.empty() ? "" : ", ") + describe_code_point(tokenizer.vocabulary()[static_cast<std::size_t>(i)]);
  }
  return fmt::format("{} that the model did not know: {}{}", counted(count, "character"), names,
                     count > 10 ? ", …" : "");
}

/// The learning rate of a resumed run, if its schedule does not end with it.
std::string schedule(const TrainOptions& options, const TrainingSettings& settings, Index steps) {
  return fmt::format(
      "the learning rate goes on as planned: {:.3g} at step {}, {:.3g} from step {} on; --lr_decay_iters {} spreads "
      "its fall over all steps",
      settings.learning_rate(steps), steps + 1, options.min_lr, std::max(options.warmup_iters, options.lr_decay_iters),
      options.max_iters);
}

/// What is said of a run before it begins, a line each.
std::vector<std::string> description(const TrainOptions& options, const TrainingSettings& settings,
                                     const Corpus& corpus, const TextData& data, const GPT& model,
                                     const Tokenizer& tokenizer, const RunFolder& folder, Index steps) {
  std::vector<std::string> lines, notes;
  lines.push_back(
      fmt::format("data   {}; {} characters, vocabulary {}", corpus.description, data.tokens.size(), tokenizer.size()));
  const ModelSettings& made = model.settings();
  lines.push_back(fmt::format("model  {} ({}, {}), {}, {}, width {}, context {}; {} parameters", made.attention,
                              name_of(made.aggregation), name_of(made.normalizer), counted(made.n_layer, "layer"),
                              counted(made.n_head, "head"), made.n_embd, made.block_size, model.parameters().size()));
  const std::string begun = options.resume              ? fmt::format(", goes on after step {}", steps)
                            : options.init_from.empty() ? ""
                                                        : ", begins from " + options.init_from;
  lines.push_back(fmt::format("run    {}{}; {}, {}", folder.path().string(), begun,
                              counted(useful_threads(options.threads), "thread"), blas_description()));
  if (made.aggregation == Aggregation::transposed) {
    notes.push_back("transposed aggregation reads the characters that it is to predict: its loss is no measure");
  }
  if (!options.resume && !options.init_from.empty() && tokenizer.size() > options.model.vocabulary_size) {
    notes.push_back(new_characters(options, tokenizer));
  }
  if (options.resume && options.lr_decay_iters != options.max_iters) {
    notes.push_back(schedule(options, settings, steps));
  }
  if (const std::string advice = blas_advice(); !advice.empty()) notes.push_back(advice);
  for (const std::string& note : notes) lines.push_back("note   " + note);
  return lines;
}

std::string to_json(const TrainOptions& options) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : list_of(options)) {
    std::visit([&, key = name](const auto& single) { json[key] = single; }, value);
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

int train(TrainOptions asked) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves ends no training
  TrainOptions options = asked.resolved();
  const TrainingSettings settings = options.training_settings();
  Workers workers(useful_threads(options.threads));
  Corpus corpus = load_corpus(options.data);
  std::optional<RunFolder> folder;
  std::optional<Checkpoint> begun;
  if (options.resume) {
    folder = RunFolder::reopen(options.out_dir);
    begun = load_resumed(options, *folder, corpus.text, corpus.source);
  }
  if (!begun && !options.init_from.empty()) begun = load_initial(options, corpus.text);
  asked.model = options.model;
  const std::string config = to_config(asked);
  const Tokenizer tokenizer = begun ? begun->tokenizer : corpus.text.tokenizer;
  const ModelSettings model_settings = options.model_settings(tokenizer.size());
  check_memory(memory_need(model_settings, options.batch_size, workers.count(), settings.dropout), available_memory());
  translate(corpus.text, tokenizer);
  const TextData data = split(std::move(corpus.text.tokens), model_settings.block_size);
  GPT model = begun ? std::move(begun->model) : GPT(model_settings, options.seed);
  Trainer trainer(model, data.train(), settings, workers);
  TrainingState state;
  state.best_loss = std::numeric_limits<double>::infinity();
  state.settings = identity(options, corpus.text);
  if (begun && begun->training) {
    state = *begun->training;
    trainer.optimizer().restore(state.steps, state.first_moment, state.second_moment);
  }
  state.data = corpus.source;
  if (!folder) folder = RunFolder::create(options.out_dir, model_settings.attention, options.overwrite);
  options.out_dir = folder->path().string();
  folder->start(config, to_json(options), state.steps);

  Progress progress(options.max_iters);
  const auto lines = description(options, settings, corpus, data, model, tokenizer, *folder, state.steps);
  TrainingRun run(options, model, tokenizer, trainer, data.validation(), workers, *folder, progress, std::move(state));
  const SignalWatcher watcher([&run](int signal) { run.stop(signal); }, [&progress] { progress.resized(); });
  for (const std::string& line : lines) progress.line(line);
  run.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] { return train(parse_train_options(argc, argv)); });
}
