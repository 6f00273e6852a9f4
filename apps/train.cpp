// Trains a model: read the options, make data, model and trainer, then one loop.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "apps/shared/command_line.hpp"
#include "apps/shared/corpus.hpp"
#include "apps/shared/interrupt.hpp"
#include "apps/shared/numbers.hpp"
#include "apps/shared/options.hpp"
#include "apps/shared/progress.hpp"
#include "apps/shared/run_folder.hpp"
#include "apps/training/checkpoints.hpp"
#include "nn/training/evaluation.hpp"
#include "nn/training/memory.hpp"
#include "nn/training/trainer.hpp"
#include "tensor/fast/blas_kernel.hpp"

using namespace qisa;

namespace {

void describe(const TrainOptions& options, const Corpus& corpus, const TextData& data, const GPT& model,
              const RunFolder& folder, Index steps) {
  fmt::print("data   {}; {} characters, vocabulary {}\n", corpus.description, data.tokens.size(),
             model.settings().vocabulary_size);
  fmt::print("model  {} ({}, {}), {}, {}, width {}, context {}; {} parameters\n", options.attention,
             options.aggregation, options.normalizer, counted(options.n_layer, "layer"),
             counted(options.n_head, "head"), options.n_embd, options.block_size, model.parameters().size());
  if (model.settings().aggregation == Aggregation::transposed) {
    fmt::print("note   transposed aggregation reads the characters that it is to predict: its loss is no measure\n");
  }
  const std::string resumed = options.resume ? fmt::format(", goes on after step {}", steps) : "";
  fmt::print("run    {}{}; {}, {}\n", folder.path().string(), resumed,
             counted(useful_threads(options.threads), "thread"), blas_description());
  if (const std::string advice = blas_advice(); !advice.empty()) fmt::print("note   {}\n", advice);
}

std::string to_line(const LogEntry& entry) {
  const std::string validation = entry.val_loss ? fmt::format("  validation {:.4f}", *entry.val_loss) : "";
  return fmt::format("step {:>6}  loss {:.4f}{}  {:.0f} tokens/s", entry.step, entry.loss, validation,
                     entry.tokens_per_second);
}

int train(const TrainOptions& options) {
  // Data, model, trainer.
  const std::string config = to_config(options);
  const TrainingSettings settings = options.training_settings();
  Workers workers(useful_threads(options.threads));
  Corpus corpus = load_corpus(options.data);
  const Tokenizer& tokenizer = corpus.text.tokenizer;
  const ModelSettings model_settings = options.model_settings(tokenizer.size());
  check_memory(memory_need(model_settings, options.batch_size, workers.count(), settings.dropout), available_memory());
  const TextData data = split(std::move(corpus.text.tokens), options.block_size);
  std::optional<RunFolder> folder;
  std::optional<Checkpoint> resumed;
  if (options.resume) {
    folder = RunFolder::reopen(options.out_dir);
    resumed = load_resumed(options, *folder, corpus.text);
  }
  GPT model = resumed ? std::move(resumed->model) : GPT(model_settings, options.seed);
  Trainer trainer(model, data.train(), settings, workers);
  TrainingState run{0, {}, {}, std::numeric_limits<double>::infinity(), identity(options, corpus.text)};
  if (resumed) {
    run = *resumed->training;
    trainer.optimizer().restore(run.steps, run.first_moment, run.second_moment);
  }
  if (!folder) folder = RunFolder::create(options.out_dir, options.attention, options.overwrite);
  folder->start(config, run.steps);
  describe(options, corpus, data, model, *folder, run.steps);
  const auto save = [&](const std::filesystem::path& path) {
    save_run(path, model, tokenizer, trainer.optimizer(), run);
  };
  const auto validate = [&](Index windows) {
    const double loss = mean_loss(model, data.validation(), workers, windows);
    require(std::isfinite(loss), "step {}: the validation loss is {}; a smaller --learning_rate may help",
            trainer.optimizer().steps, loss);
    return loss;
  };

  // The loop: step, evaluate, log, save. Of the files of a step, latest is written last.
  catch_interrupts();
  Progress progress(options.max_iters);
  StepClock clock(run.steps, options.batch_size * options.block_size);
  std::optional<double> final_loss;  // on the whole validation text
  for (Index step = run.steps + 1; step <= options.max_iters; ++step) {
    const StepReport report = trainer.step();
    const double speed = clock.tokens_per_second(step);
    progress.update(step, report.loss, speed);
    const bool evaluates = step % options.eval_interval == 0, logs = evaluates || step % options.log_interval == 0;
    LogEntry entry{step, report.loss, report.learning_rate, speed};
    if (evaluates) entry.val_loss = validate(options.eval_iters * options.batch_size);
    if (logs) {
      entry.elapsed_s = clock.elapsed();
      folder->log(entry);
      if (evaluates || !progress.is_terminal()) progress.line(to_line(entry));
    }
    const bool is_best = evaluates && *entry.val_loss < run.best_loss;
    if (is_best) run.best_loss = *entry.val_loss;
    if (evaluates && options.keep > 0) {
      save(folder->numbered(step));
      folder->keep_newest(options.keep);
    }
    if (is_best) save(folder->best());
    const int signal = step < options.max_iters ? interrupted() : 0;
    if (evaluates || signal != 0) {
      folder->flush_log();
      save(folder->latest());
    }
    if (logs) clock.restart(step);
    if (signal != 0) {
      progress.line(fmt::format("stopped at step {}; `train --resume {}` continues", step, folder->path().string()));
      return 128 + signal;
    }
    if (evaluates && options.eval_iters == 0 && step == options.max_iters) final_loss = entry.val_loss;
  }

  // The end. Its evaluation is no part of the run, which can go on from here with a larger max_iters.
  const double val_loss = final_loss ? *final_loss : validate(0);
  if (!std::isfinite(run.best_loss)) save(folder->best());
  save(folder->latest());
  folder->log_done(options.max_iters, val_loss, clock.elapsed());
  folder->flush_log();
  progress.line(fmt::format("done in {}: validation loss {:.4f} nats a character; saved {}", duration(clock.elapsed()),
                            val_loss, folder->latest().string()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] { return train(parse_train_options(argc, argv)); });
}
