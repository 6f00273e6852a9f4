// Trains a model: read the options, make data, model and trainer, then one loop.
#include <fmt/format.h>

#include <limits>

#include "apps/command_line.hpp"
#include "apps/corpus.hpp"
#include "apps/interrupt.hpp"
#include "apps/options.hpp"
#include "apps/progress.hpp"
#include "apps/run_folder.hpp"
#include "nn/checkpoint.hpp"
#include "nn/trainer.hpp"
#include "tensor/blas.hpp"

using namespace qisa;

namespace {

/// The checkpoint of the run to continue, if one is. Throws when an option would make it another run.
std::optional<Checkpoint> load_resumed(const TrainOptions& options, const std::string& text) {
  if (!options.resume) return {};
  Checkpoint checkpoint = load_checkpoint(std::filesystem::path(options.out_dir) / "latest.safetensors");
  check(checkpoint.training.has_value(), "{}: its checkpoint has no trainer state to resume from", options.out_dir);
  auto identity = run_identity(options);
  identity["text"] = fingerprint(text);
  for (const auto& [name, value] : checkpoint.training->settings) {
    check(identity[name] == value, "{}: this run has {} = {}, not {}; a resumed run must keep it", options.out_dir,
          name, value, identity[name]);
  }
  check(checkpoint.training->steps < options.max_iters, "{}: this run has done its {} steps; give a larger --max_iters",
        options.out_dir, checkpoint.training->steps);
  return checkpoint;
}

void describe(const TrainOptions& options, const Corpus& corpus, const TextData& data, const GPT& model,
              const RunFolder& folder) {
  fmt::print("data   {}; {} characters, vocabulary {}\n", corpus.description,
             data.train.size() + data.validation.size(), model.settings().vocabulary_size);
  fmt::print("model  {} ({}, {}), {} layers, {} heads, width {}, context {}; {} parameters\n", options.attention,
             options.aggregation, options.normalizer, options.n_layer, options.n_head, options.n_embd,
             options.block_size, model.parameters().size());
  if (model.settings().aggregation == Aggregation::transposed) {
    fmt::print("note   transposed aggregation reads the characters that it is to predict: its loss is no measure\n");
  }
  fmt::print("run    {}; {} threads, {}\n", folder.path().string(), options.threads, blas_description());
}

int train(const TrainOptions& options) {
  // Data, model, trainer.
  const Corpus corpus = load_corpus(options.data);
  std::optional<Checkpoint> resumed = load_resumed(options, corpus.text);
  const Tokenizer tokenizer = Tokenizer::from_text(corpus.text);
  const TextData data = split(tokenizer.encode(corpus.text), options.block_size);
  GPT model = resumed ? std::move(resumed->model) : GPT(options.model_settings(tokenizer.size()), options.seed);
  Workers workers(options.threads);
  Trainer trainer(model, data.train, options.training_settings(), workers);
  TrainingState run{0, {}, {}, std::numeric_limits<double>::infinity(), run_identity(options)};
  run.settings["text"] = fingerprint(corpus.text);
  if (resumed) {
    run = *resumed->training;
    trainer.optimizer().restore(run.steps, run.first_moment, run.second_moment);
  }
  RunFolder folder = resumed ? RunFolder::reopen(options.out_dir, run.steps, to_config(options))
                             : RunFolder::create(options.out_dir, options.attention, to_config(options));
  describe(options, corpus, data, model, folder);
  const auto save = [&](const std::filesystem::path& path) {
    run.steps = trainer.optimizer().steps;
    run.first_moment = trainer.optimizer().first_moment;
    run.second_moment = trainer.optimizer().second_moment;
    save_checkpoint(path, model, tokenizer, &run);
  };

  // The loop: step, evaluate, log, save.
  catch_interrupts();
  Progress progress(options.max_iters);
  StepClock clock(run.steps, options.batch_size * options.block_size);
  double val_loss = 0;
  for (Index step = run.steps + 1; step <= options.max_iters; ++step) {
    const StepReport report = trainer.step();
    const double speed = clock.tokens_per_second(step);
    progress.update(step, report.loss, speed);
    const bool last = step == options.max_iters, evaluates = last || step % options.eval_interval == 0;
    const bool logs = evaluates || step % options.log_interval == 0;
    if (logs) {
      LogEntry entry{step, report.loss, report.learning_rate, speed};
      std::string text = fmt::format("step {:>6}  loss {:.4f}", step, report.loss);
      if (evaluates) {
        val_loss = mean_loss(model, data.validation, workers, last ? 0 : options.eval_iters * options.batch_size);
        entry.val_loss = val_loss;
        text += fmt::format("  validation {:.4f}", val_loss);
      }
      entry.elapsed_s = clock.elapsed();
      folder.log(entry);
      if (evaluates || !progress.is_terminal()) progress.line(fmt::format("{}  {:.0f} tokens/s", text, speed));
    }
    const bool is_best = evaluates && val_loss < run.best_loss;
    if (is_best) run.best_loss = val_loss;
    if (evaluates || interrupted()) save(folder.latest());
    if (is_best) save(folder.best());
    if (logs) clock.restart(step);
    if (interrupted() && !last) {
      progress.line(fmt::format("stopped at step {}; `train --resume {}` continues", step, folder.path().string()));
      return 128 + interrupted();
    }
  }
  folder.log_done(options.max_iters, val_loss, clock.elapsed());
  progress.line(fmt::format("done in {}: validation loss {:.4f} nats a character; saved {}", duration(clock.elapsed()),
                            val_loss, folder.latest().string()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] { return train(parse_train_options(argc, argv)); });
}
