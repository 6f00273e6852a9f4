#include "apps/training/checkpoints.hpp"

#include <algorithm>
#include <cmath>

#include "apps/shared/corpus.hpp"

namespace qisa {

std::map<std::string, std::string> identity(const TrainOptions& options, const EncodedText& text) {
  auto settings = run_identity(options);
  settings["text"] = fingerprint(text);
  return settings;
}

std::optional<Checkpoint> load_resumed(const TrainOptions& options, const RunFolder& folder, const EncodedText& text) {
  const auto path = folder.newest_checkpoint();
  if (!path) return {};
  Checkpoint checkpoint = load_checkpoint(*path);
  require(checkpoint.training.has_value(), "{}: it has no trainer state to resume from", path->string());
  check_same_run(options.out_dir, checkpoint.training->settings, identity(options, text));
  const Index steps = checkpoint.training->steps;
  require(steps < options.max_iters || (steps == options.max_iters && !folder.is_done()),
          "{}: this run has done its {} steps; give a larger --max_iters", options.out_dir, steps);
  return checkpoint;
}

void save_run(const std::filesystem::path& path, const GPT& model, const Tokenizer& tokenizer, const AdamW& optimizer,
              TrainingState& run) {
  run.steps = optimizer.steps;
  run.first_moment = optimizer.first_moment;
  run.second_moment = optimizer.second_moment;
  for (const Tensor& numbers : {model.parameters().values(), run.first_moment, run.second_moment}) {
    const bool finite =
        std::all_of(numbers.values().begin(), numbers.values().end(), [](Real value) { return std::isfinite(value); });
    require(finite,
            "step {}: weights or AdamW's moments are not finite; {} stays as it is. A smaller --learning_rate "
            "may help",
            run.steps, path.string());
  }
  save_checkpoint(path, model, tokenizer, &run);
}

}  // namespace qisa
