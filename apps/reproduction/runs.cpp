#include "apps/reproduction/runs.hpp"

#include <algorithm>

#include "apps/shared/model_facts.hpp"
#include "apps/shared/progress.hpp"
#include "nn/training/evaluation.hpp"
#include "nn/training/trainer.hpp"

namespace qisa {
namespace {

constexpr Index intervals = 60;  // points of a curve of training loss

ModelSettings model_settings(const Run& run, const Scale& scale, const Text& text) {
  ModelSettings settings;
  settings.vocabulary_size = text.tokenizer.size();
  settings.n_layer = scale.n_layer;
  settings.n_embd = scale.n_embd;
  settings.block_size = scale.block_size;
  settings.attention = run.variant.attention;
  settings.aggregation = run.variant.aggregation;
  settings.normalizer = run.variant.normalizer;
  return settings;
}

TrainingSettings training_settings(const Run& run, const Scale& scale) {
  TrainingSettings settings;  // a constant learning rate of 3e-3 and a weight decay of 0.01 are the defaults
  settings.batch_size = scale.batch_size;
  settings.grad_clip = 0;
  settings.dropout = 0.2;
  settings.seed = run.seed;
  return settings;
}

}  // namespace

std::string Variant::name() const {
  const std::string way = name_of(aggregation);
  if (attention == "csa") return fmt::format("{}-{}", attention, way);
  return fmt::format("{}-{}-{}", attention, way, name_of(normalizer));
}

std::string Run::name() const { return fmt::format("{}-{}", variant.name(), seed); }

std::vector<Variant> paper_variants() {
  std::vector<Variant> variants = {{"csa", Aggregation::causal, Normalizer::sum}};
  for (const char* attention : {"qisa-v1", "qisa-v2", "qisa-v3", "qisa"}) {
    variants.push_back({attention, Aggregation::transposed, Normalizer::softmax});
    variants.push_back({attention, Aggregation::causal, Normalizer::softmax});
    variants.push_back({attention, Aggregation::causal, Normalizer::sum});
  }
  return variants;
}

Scale Scale::full(Index training_characters) {
  Scale scale;
  scale.n_embd = 128;
  scale.batch_size = 128;
  const Index windows = training_characters - scale.block_size;
  scale.steps = (windows + scale.batch_size - 1) / scale.batch_size;
  return scale;
}

Scale Scale::quick() { return {.n_layer = 1, .n_embd = 4, .block_size = 8, .batch_size = 4, .steps = 6}; }

std::map<std::string, std::string> settings_of(const Run& run, const Scale& scale, const Text& text) {
  const TrainingSettings training = training_settings(run, scale);
  auto settings = to_text(model_settings(run, scale, text));
  settings.insert({{"batch_size", fmt::format("{}", training.batch_size)},
                   {"steps", fmt::format("{}", scale.steps)},
                   {"learning_rate", fmt::format("{}", training.learning_rate.largest)},
                   {"weight_decay", fmt::format("{}", training.adamw.weight_decay)},
                   {"grad_clip", fmt::format("{}", training.grad_clip)},
                   {"dropout", fmt::format("{}", training.dropout)},
                   {"seed", fmt::format("{}", training.seed)},
                   {"text", text.fingerprint}});
  return settings;
}

RunResult train_and_evaluate(const Run& run, const Scale& scale, const Text& text, Workers& workers) {
  GPT model(model_settings(run, scale, text), run.seed);
  Trainer trainer(model, text.data.train(), training_settings(run, scale), workers);
  RunResult result;
  result.settings = settings_of(run, scale, text);

  const Index interval = std::max<Index>(1, scale.steps / intervals);
  const double begun = seconds_now();
  double sum = 0;
  for (Index step = 1; step <= scale.steps; ++step) {
    sum += trainer.step().loss;
    if (step % interval == 0) {
      result.steps.push_back(step);
      result.training_loss.push_back(sum / static_cast<double>(interval));
      sum = 0;
    }
  }
  result.seconds = seconds_now() - begun;

  const std::span<const std::int32_t> validation = text.data.validation();
  const Predictions predictions = predict(model, validation, workers);
  const TextErrors errors = compare(predictions, validation, text.tokenizer);
  require(errors.word_error_rate.has_value(), "no window of the validation text has a word: take another text");
  result.cross_entropy = predictions.mean_loss();
  result.loss_by_position = predictions.loss;
  result.character_error_rate = errors.character_error_rate;
  result.word_error_rate = *errors.word_error_rate;
  result.bleu = errors.bleu;
  result.parameters = model.parameters().size();
  result.parameters_a_head = parameters_a_head(model);
  result.dead_outputs = dead_outputs(run.variant.attention, model.pauli_strings());
  const CausalityAudit audit = audit_causality(model, validation);
  result.causal = audit.causal();
  result.audit = verdict(audit);
  result.reading = reading_map(model, sentence(validation, scale.block_size, text.tokenizer), text.tokenizer);
  return result;
}

}  // namespace qisa
