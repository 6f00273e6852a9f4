// Evaluates a model on a text: loss, text metrics, and whether it reads the future.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "apps/shared/command_line.hpp"
#include "apps/shared/corpus.hpp"
#include "apps/shared/model_facts.hpp"
#include "apps/shared/numbers.hpp"
#include "apps/shared/run_folder.hpp"
#include "nn/files/checkpoint.hpp"
#include "nn/text/builtin_corpus.hpp"
#include "nn/text/text_data.hpp"
#include "nn/training/evaluation.hpp"

using namespace qisa;

namespace {

struct EvaluateOptions {
  std::string checkpoint, data, part = "validation";
  Index windows = 0;
  int threads = 0;
  bool json = false, allow_nonfinite = false;
};

EvaluateOptions parse(int argc, char** argv) {
  CLI::App app("Evaluate a trained model: loss, text metrics, and whether it reads the future.", "evaluate");
  EvaluateOptions options;
  app.add_option("--checkpoint,checkpoint", options.checkpoint,
                 "checkpoint file, or a run's folder (default: the newest in runs/)");
  app.add_option(
      "--data", options.data,
      "text file (UTF-8), or builtin (default: the text that the model was trained on; if the checkpoint does not "
      "name it, data/shakespeare.txt if it is there, else builtin)");
  app.add_option("--part", options.part, "of the text: the last tenth, the rest, or both")
      ->check(CLI::IsMember({"validation", "train", "all"}))
      ->capture_default_str();
  app.add_option("--windows", options.windows, "only the first windows of the part (0: all)")->capture_default_str();
  app.add_option("--threads", options.threads,
                 "threads, at most one a processor; results do not depend on it (0: as many)")
      ->capture_default_str();
  app.add_flag("--json", options.json, "print one JSON object, with all numbers in full precision");
  app.add_flag("--allow_nonfinite", options.allow_nonfinite,
               "take a checkpoint with weights that are infinite or no numbers too");
  parse_or_exit(app, argc, argv);
  if (options.threads == 0) options.threads = available_processors();
  return options;
}

/// All that is found out about a model.
struct Report {
  std::string checkpoint, data, part;
  std::optional<bool> own_text;  // whether it is the text that the model was trained on
  std::string trained_on;        // if another: ", " and where it is
  ModelSettings model;
  Index parameters = 0, parameters_a_head = 0, dead_outputs = 0;
  Predictions predictions;
  TextErrors errors;
  CausalityAudit audit;
  std::optional<double> entropy;      // of the built-in corpus, in nats a character; none for another text
  std::optional<bool> below_entropy;  // whether the loss is lower than a causal model's can be; needs new text
};

/// The part of a text that `train` splits so.
std::span<const std::int32_t> part_of(const TextData& data, const std::string& part) {
  return part == "all" ? std::span(data.tokens) : part == "train" ? data.train() : data.validation();
}

/// Says on stderr which weights are infinite or no numbers, if some are.
void note_nonfinite(const Parameters& parameters) {
  std::vector<std::string> parts;
  for (const NamedParameter& part : parameters.names()) {
    const Tensor tensor = parameters.values().part(part.offset, part.shape);
    const auto bad = std::ranges::count_if(tensor.values(), [](Real value) { return !std::isfinite(value); });
    if (bad > 0) parts.push_back(fmt::format("{} of {} in {}", bad, tensor.size(), part.name));
  }
  if (!parts.empty()) complain(fmt::format("weights that are not finite: {}\n", fmt::join(parts, ", ")));
}

/// The text that is asked for, or else the one that the model was trained on.
Corpus load_text(const std::string& data, const std::string& own, const std::string& checkpoint,
                 const Tokenizer& tokenizer) {
  require(!data.empty() || own.empty() || own == "builtin" || std::filesystem::exists(own),
          "{}: it was trained on {}, which is not there; give the text by --data", checkpoint, own);
  return load_corpus(data.empty() ? own : data, &tokenizer);
}

/// Whether the text is the one that the model was trained on; unknown if the checkpoint does not say.
std::optional<bool> is_own(const EncodedText& text, const std::optional<TrainingState>& training) {
  if (!training || !training->settings.contains("text")) return {};
  return training->settings.at("text") == fingerprint(text);
}

Report evaluate(const EvaluateOptions& options) {
  require(options.windows >= 0, "windows must be at least 0, not {}", options.windows);
  const std::filesystem::path path = find_checkpoint(options.checkpoint);
  const auto [model, tokenizer, training] =
      load_checkpoint(path, options.allow_nonfinite ? NonFinite::allow : NonFinite::refuse);
  note_nonfinite(model.parameters());
  const std::string own = training ? training->data : "";
  Corpus corpus = load_text(options.data, own, path.string(), tokenizer);
  const TextData data = options.part == "all" ? TextData{std::move(corpus.text.tokens)}
                                              : split(std::move(corpus.text.tokens), model.settings().block_size);
  const std::span<const std::int32_t> tokens = part_of(data, options.part);
  Workers workers(useful_threads(options.threads));

  Report report;
  report.checkpoint = path.string();
  report.data = corpus.description;
  report.own_text = is_own(corpus.text, training);
  report.trained_on = own.empty() || own == corpus.source ? "" : ", " + own;
  report.part = options.part;
  report.model = model.settings();
  report.parameters = model.parameters().size();
  report.parameters_a_head = parameters_a_head(model);
  report.dead_outputs = dead_outputs(model.settings().attention, model.pauli_strings());
  report.predictions = predict(model, tokens, workers, options.windows);
  require(std::isfinite(report.predictions.mean_loss()), "the model's logits are not finite: its loss is {}",
          report.predictions.mean_loss());
  report.errors = compare(report.predictions, tokens, tokenizer);
  report.audit = audit_causality(model, tokens);
  if (corpus.builtin) {
    report.entropy = builtin_corpus_entropy();
    if (options.part == "validation") {  // a text that was trained on can be known by heart
      const Index characters = report.predictions.windows * model.settings().block_size;
      report.below_entropy = report.predictions.mean_loss() < builtin_corpus_floor(characters);
    }
  }
  return report;
}

void print_json(const Report& report) {
  using Json = nlohmann::ordered_json;
  const auto optional = [](const auto& value) { return value ? Json(*value) : Json(); };
  const auto spread = [](const MeanAndDeviation& value) {
    return Json{{"mean", value.mean}, {"deviation", value.deviation}};
  };
  const TextErrors& errors = report.errors;
  const CausalityAudit& audit = report.audit;
  const double loss = report.predictions.mean_loss();
  Json json = {{"checkpoint", report.checkpoint}, {"data", report.data}, {"part", report.part}};
  for (const auto& [name, value] : to_text(report.model)) {
    json["settings"][name] = Json::accept(value) ? Json::parse(value) : Json(value);  // 6 and false, but "csa"
  }
  json["own_text"] = optional(report.own_text);
  json["parameters"] = report.parameters;
  json["parameters_a_head"] = report.parameters_a_head;
  json["dead_outputs"] = report.dead_outputs;
  json["windows"] = report.predictions.windows;
  json["loss"] = loss;
  json["bits_a_character"] = loss * std::numbers::log2e;
  json["loss_by_position"] = report.predictions.loss;
  json["character_error_rate"] = spread(errors.character_error_rate);
  json["word_error_rate"] = errors.word_error_rate ? spread(*errors.word_error_rate) : Json();
  json["windows_without_words"] = errors.windows_without_words;
  json["bleu"] = spread(errors.bleu);
  json["audit"] = {{"causal", audit.causal()},
                   {"changes", audit.changes},
                   {"position", audit.position},
                   {"moved_positions", audit.moved_positions},
                   {"largest_move", audit.largest_move}};
  json["entropy"] = optional(report.entropy);
  json["below_entropy"] = optional(report.below_entropy);
  fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));  // a path may not be UTF-8
}

void print_row(const char* name, const MeanAndDeviation& value, const std::string& note = "") {
  fmt::print("  {:<22}{:.4f}   deviation {:.4f}{}\n", name, value.mean, value.deviation, note);
}

/// The loss at positions 1, 2, 4, … and at the last.
void print_positions(const std::vector<double>& loss) {
  std::string positions, losses;
  for (std::size_t position = 1, next; position <= loss.size(); position = next) {
    positions += fmt::format("{:>8}", position);
    losses += fmt::format("{:>8.4f}", loss[position - 1]);
    next = position == loss.size() ? position + 1 : std::min(2 * position, loss.size());
  }
  fmt::print("  at position   {}\n                {}\n", positions, losses);
}

void print_text(const Report& report) {
  const ModelSettings& model = report.model;
  const TextErrors& errors = report.errors;
  const double loss = report.predictions.mean_loss();
  fmt::print("model  {} ({}, {}), {}, {}, width {}, context {}; {} parameters, {} a head\n", model.attention,
             name_of(model.aggregation), name_of(model.normalizer), counted(model.n_layer, "layer"),
             counted(model.n_head, "head"), model.n_embd, model.block_size, report.parameters,
             report.parameters_a_head);
  if (find_mechanism(model.attention).real_states) {
    fmt::print("       {} of {} measured outputs are dead: strings with an odd number of Y\n", report.dead_outputs,
               model.n_layer * model.n_embd);
  }
  fmt::print("from   {}\n", report.checkpoint);
  fmt::print("data   {}{}; part {}, {} of {} characters\n\n", report.data,
             report.own_text.value_or(false) ? ", which the model was trained on" : "", report.part,
             counted(report.predictions.windows, "window"), model.block_size);

  fmt::print("loss   {:.4f} nats a character, {:.4f} bits{}\n", loss, loss * std::numbers::log2e,
             report.entropy ? fmt::format("; entropy of the text {:.4f} nats", *report.entropy) : "");
  print_positions(report.predictions.loss);
  fmt::print("\nlikeliest characters against the true ones, a window at a time\n");
  print_row("character error rate", errors.character_error_rate);
  const std::string skipped =
      fmt::format("   ({} without a word left out)", counted(errors.windows_without_words, "window"));
  if (errors.word_error_rate) {
    print_row("word error rate", *errors.word_error_rate, errors.windows_without_words ? skipped : "");
  } else {
    fmt::print("  word error rate       none: no window has a word\n");
  }
  print_row("BLEU", errors.bleu);

  fmt::print("\naudit  {}\n", verdict(report.audit));
  if (report.below_entropy.value_or(false)) {
    fmt::print(
        "       the loss is below the text's entropy, where no causal model can be: the model reads the future\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    const EvaluateOptions options = parse(argc, argv);
    const Report report = evaluate(options);
    options.json ? print_json(report) : print_text(report);
    if (!report.own_text.value_or(true)) {
      complain(fmt::format("{} is not the text that the model was trained on{}: its loss is that of another text\n",
                           report.data, report.trained_on));
    }
    return 0;
  });
}
