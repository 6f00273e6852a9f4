#include "apps/training/checkpoints.hpp"

#include <algorithm>
#include <cmath>

#include "apps/shared/corpus.hpp"
#include "nn/text/utf8.hpp"

namespace qisa {

std::map<std::string, std::string> identity(const TrainOptions& options, const EncodedText& text) {
  auto settings = run_identity(options);
  settings["text"] = fingerprint(text);
  return settings;
}

std::optional<Checkpoint> load_resumed(const TrainOptions& options, const RunFolder& folder, const EncodedText& text,
                                       const std::string& source) {
  const auto path = folder.newest_checkpoint();
  if (!path) return {};
  Checkpoint checkpoint = load_checkpoint(*path);
  require(checkpoint.training.has_value(), "{}: it has no trainer state to resume from", path->string());
  const auto now = identity(options, text);
  const auto begun = checkpoint.training->settings.find("text");
  const std::string& data = checkpoint.training->data;
  require(
      begun == checkpoint.training->settings.end() || begun->second == now.at("text"),
      "{}: {} is not the text that this run was begun with{}; give that one by --data, or begin a new run with this "
      "text by --init_from {}",
      options.out_dir, source, data.empty() || data == source ? "" : ", " + data, options.out_dir);
  check_same_run(options.out_dir, checkpoint.training->settings, now);
  const Index steps = checkpoint.training->steps;
  require(steps < options.max_iters || (steps == options.max_iters && !folder.is_done()),
          "{}: this run has done its {} steps; give a larger --max_iters", options.out_dir, steps);
  return checkpoint;
}

namespace {

/// Copies the weights of a model into those of one that knows more characters, and is otherwise the same.
void copy_weights(const GPT& from, GPT& to) {
  const Parameters& source = from.parameters();
  Parameters& target = to.parameters();
  for (std::size_t i = 0; i < source.names().size(); ++i) {
    const NamedParameter &part = source.names()[i], &place = target.names()[i];
    require(part.name == place.name && part.shape.size() <= place.shape.size(), "{} has no place in {}", part.name,
            place.name);
    // A character's numbers are a row, so that more characters are more rows at the end.
    std::copy_n(source.values().data() + part.offset, part.shape.size(), target.values().data() + place.offset);
  }
}

}  // namespace

Checkpoint load_initial(TrainOptions& options, const EncodedText& text) {
  const std::filesystem::path path = find_checkpoint(options.init_from);
  Checkpoint loaded = load_checkpoint(path);
  ModelSettings settings = loaded.model.settings();
  const auto asked = to_text(options.model);
  for (const auto& [name, value] : to_text(settings)) {
    require(!options.given.contains(name) || asked.at(name) == value,
            "{}: this model has {} = {}, not {}; leave --{} out to begin from it", path.string(), name, value,
            asked.at(name), name);
  }
  options.model = settings;
  std::u32string vocabulary = loaded.tokenizer.vocabulary();
  for (const char32_t character : text.tokenizer.vocabulary()) {
    if (vocabulary.find(character) == std::u32string::npos) vocabulary += character;
  }
  settings.vocabulary_size = std::ssize(vocabulary);
  Checkpoint grown{GPT(settings, loaded.model.pauli_strings()), Tokenizer(std::move(vocabulary)), {}};
  grown.model.parameters().initialize(options.seed);
  copy_weights(loaded.model, grown.model);
  return grown;
}

void translate(EncodedText& text, const Tokenizer& tokenizer) {
  const std::u32string &from = text.tokenizer.vocabulary(), &to = tokenizer.vocabulary();
  if (from == to) return;
  std::vector<std::int32_t> place;
  for (const char32_t character : from) {
    const auto found = to.find(character);
    require(found != std::u32string::npos, "the model's vocabulary lacks {}", describe_code_point(character));
    place.push_back(static_cast<std::int32_t>(found));
  }
  for (std::int32_t& token : text.tokens) token = place[static_cast<std::size_t>(token)];
  text.tokenizer = tokenizer;
}

void save_run(const std::filesystem::path& path, const GPT& model, const Tokenizer& tokenizer, const AdamW& optimizer,
              TrainingState run) {
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
