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

int train(const TrainOptions& options) {
  // Data, model, trainer.
  const Corpus corpus = load_corpus(options.data);
  const Tokenizer tokenizer = Tokenizer::from_text(corpus.text);
  const TextData data = split(tokenizer.encode(corpus.text), options.block_size);
  GPT model(options.model_settings(tokenizer.size()), options.seed);
  Workers workers(options.threads);
  Trainer trainer(model, data.train, options.training_settings(), workers);
  RunFolder folder(options.out_dir, options.attention, to_config(options));

  fmt::print("data   {}; {} characters, vocabulary {}\n", corpus.description,
             data.train.size() + data.validation.size(), tokenizer.size());
  fmt::print("model  {} ({}, {}), {} layers, {} heads, width {}, context {}; {} parameters\n", options.attention,
             options.aggregation, options.normalizer, options.n_layer, options.n_head, options.n_embd,
             options.block_size, model.parameters().size());
  if (options.aggregation == "transposed") {
    fmt::print("note   transposed aggregation reads the characters that it is to predict: its loss is no measure\n");
  }
  fmt::print("runs   on {} thread{} with {}; folder {}\n", options.threads, options.threads == 1 ? "" : "s",
             blas_description(), folder.path().string());

  double best_loss = std::numeric_limits<double>::infinity();
  const auto save = [&](const std::filesystem::path& path) {
    const AdamW& optimizer = trainer.optimizer();
    const TrainingState state{optimizer.steps, optimizer.first_moment, optimizer.second_moment, best_loss, {}};
    save_checkpoint(path, model, tokenizer, &state);
  };

  catch_interrupts();
  Progress progress(options.max_iters);
  const double started = seconds_now();
  const double tokens_a_step = static_cast<double>(options.batch_size * options.block_size);
  double logged = started, val_loss = 0;
  Index logged_step = 0;
  for (Index step = 1; step <= options.max_iters; ++step) {
    const StepReport report = trainer.step();

    LogEntry entry{step, report.loss, report.learning_rate};
    const bool last = step == options.max_iters;
    const bool evaluates = last || step % options.eval_interval == 0;
    const double now = seconds_now();
    entry.tokens_per_second = tokens_a_step * static_cast<double>(step - logged_step) / (now - logged);
    progress.update(step, report.loss, entry.tokens_per_second);
    if (evaluates) {
      val_loss = mean_loss(model, data.validation, workers, last ? 0 : options.eval_iters * options.batch_size);
      entry.val_loss = val_loss;
    }
    if (evaluates || step % options.log_interval == 0) {
      entry.elapsed_s = seconds_now() - started;
      folder.log(entry);
      if (evaluates || !progress.is_terminal()) {
        progress.line(fmt::format("step {:>6}  loss {:.4f}{}  {:.0f} tokens/s", step, report.loss,
                                  evaluates ? fmt::format("  validation {:.4f}", val_loss) : "",
                                  entry.tokens_per_second));
      }
      logged = seconds_now();
      logged_step = step;
    }
    const bool is_best = evaluates && val_loss < best_loss;
    if (is_best) best_loss = val_loss;
    if (evaluates || interrupted()) save(folder.latest());
    if (is_best) save(folder.best());
    if (interrupted() && !last) {
      progress.line(fmt::format("stopped at step {}; saved {}", step, folder.latest().string()));
      return 128 + interrupted();
    }
  }
  const double elapsed = seconds_now() - started;
  folder.log_done(options.max_iters, val_loss, elapsed);
  progress.line(fmt::format("done in {}: validation loss {:.4f} nats a character; saved {}", duration(elapsed),
                            val_loss, folder.latest().string()));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const TrainOptions options = parse_train_options(argc, argv);
  return run_main([&] { return train(options); });
}
