#include "apps/training/training_run.hpp"

#include <unistd.h>

#include <cmath>

#include "apps/shared/opening.hpp"
#include "apps/shared/standard_streams.hpp"
#include "apps/training/checkpoints.hpp"
#include "apps/training/signals.hpp"
#include "nn/sampler.hpp"
#include "nn/training/evaluation.hpp"

namespace qisa {
namespace {

std::string to_line(const LogEntry& entry) {
  const std::string validation = entry.val_loss ? fmt::format("  validation {:.4f}", *entry.val_loss) : "";
  const std::string speed = entry.tokens_per_second ? fmt::format("  {:.0f} tokens/s", *entry.tokens_per_second) : "";
  return fmt::format("step {:>6}  loss {:.4f}{}{}", entry.step, entry.loss, validation, speed);
}

}  // namespace

TrainingRun::TrainingRun(const TrainOptions& options, GPT& model, const Tokenizer& tokenizer, Trainer& trainer,
                         std::span<const std::int32_t> validation, Workers& workers, RunFolder& folder,
                         Progress& progress, TrainingState state)
    : options_(options),
      model_(model),
      tokenizer_(tokenizer),
      trainer_(trainer),
      validation_(validation),
      workers_(workers),
      folder_(folder),
      progress_(progress),
      clock_(state.steps, options.batch_size * options.model.block_size, folder.seconds_before()),
      state_(std::move(state)) {}

void TrainingRun::run() {
  progress_.begin(state_.steps);
  if (state_.unreported) report();  // stopped between a step and its report
  while (state_.steps < options_.max_iters) step();
  finish();
}

void TrainingRun::step() {
  const StepReport found = trainer_.find_gradient();
  {
    const std::lock_guard lock(mutex_);
    trainer_.apply_gradient();
    state_.steps = trainer_.optimizer().steps;
    state_.unreported = found;
  }
  progress_.update(state_.steps, found.loss, clock_.tokens_per_second(state_.steps));
  report();
}

/// What is due after a step: evaluate, log, save. Of the files of a step, latest is written last.
void TrainingRun::report() {
  const Index step = state_.steps;
  const bool evaluates = step % options_.eval_interval == 0, logs = evaluates || step % options_.log_interval == 0;
  LogEntry entry{step, state_.unreported->loss, state_.unreported->learning_rate, state_.unreported->gradient_norm};
  const double speed = clock_.tokens_per_second(step);
  if (std::isfinite(speed) && speed > 0) entry.tokens_per_second = speed;  // not for a step of an earlier life
  if (evaluates) entry.val_loss = validate(options_.eval_iters * options_.batch_size);
  if (evaluates && options_.eval_iters == 0 && step == options_.max_iters) final_loss_ = entry.val_loss;
  {
    const std::lock_guard lock(mutex_);
    entry.elapsed_s = clock_.elapsed();
    if (logs) folder_.log(entry);
    state_.unreported.reset();
    const bool is_best = evaluates && *entry.val_loss < state_.best_loss;
    if (is_best) state_.best_loss = *entry.val_loss;
    if (evaluates && options_.keep > 0) {
      save(folder_.numbered(step));
      folder_.keep_newest(options_.keep);
    }
    if (is_best) save(folder_.best());
    if (evaluates) {
      folder_.flush_log();
      save(folder_.latest());
    }
  }
  // Said once it is done: whoever reads it may be gone.
  if (evaluates || (logs && !progress_.is_terminal())) progress_.line(to_line(entry));
  if (options_.sample_interval > 0 && step % options_.sample_interval == 0) progress_.line(writing());
  if (logs) clock_.restart(step);
}

/// The end. Its evaluation is no part of the run, which can go on from here with a larger max_iters.
void TrainingRun::finish() {
  const double loss = final_loss_ ? *final_loss_ : validate(0);
  {
    const std::lock_guard lock(mutex_);
    if (!std::isfinite(state_.best_loss)) save(folder_.best());
    save(folder_.latest());
    folder_.log_done(options_.max_iters, loss, clock_.elapsed());
    folder_.flush_log();
    ended_ = true;
  }
  progress_.end();
  progress_.line(fmt::format("done in {}: validation loss {:.4f} nats a character; saved {}",
                             duration(clock_.elapsed()), loss, folder_.latest().string()));
}

double TrainingRun::validate(Index most_windows) {
  const auto progress = [this](Index done, Index all) { progress_.evaluating(done, all); };
  const double loss = predict(model_, validation_, workers_, most_windows, progress).mean_loss();
  require(std::isfinite(loss), "step {}: the validation loss is {}; a smaller --learning_rate may help", state_.steps,
          loss);
  return loss;
}

void TrainingRun::save(const std::filesystem::path& path) {
  save_run(path, model_, tokenizer_, trainer_.optimizer(), state_);
}

void TrainingRun::stop(int signal) {
  progress_.last_line(
      fmt::format("{}: saving the last finished step in {}, then train ends; another signal waits for it",
                  name_of_signal(signal), folder_.path().string()));
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  try {
    folder_.flush_log();
    save(folder_.latest());
  } catch (const std::exception& error) {
    complain(fmt::format("error: {}\n", error.what()));
    ::_exit(1);
  }
  progress_.last_line(
      fmt::format("stopped at step {}; `train --resume {}` continues", state_.steps, folder_.path().string()));
  ::_exit(128 + signal);  // other threads compute a step that nobody will see
}

/// A line of text by the model as it is.
std::string TrainingRun::writing() {
  constexpr int characters = 80;
  Sampler sampler(model_, {.temperature = 0.8, .seed = options_.seed}, {opening_token(model_, tokenizer_)},
                  static_cast<std::uint32_t>(state_.steps));
  std::string text;
  for (int i = 0; i < characters; ++i) text += tokenizer_.decode(sampler.next());
  for (std::size_t at = 0; (at = text.find_first_of("\n\r\t\v\f", at)) != std::string::npos;) text[at] = ' ';
  return fmt::format("step {:>6}  writes: {}", state_.steps, text);
}

}  // namespace qisa
