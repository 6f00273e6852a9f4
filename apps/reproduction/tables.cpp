#include "apps/reproduction/tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <functional>
#include <map>
#include <numeric>

namespace qisa {
namespace {

using Quantity = std::function<double(const RunResult&)>;

/// One number of each run.
std::vector<double> each(const VariantResults& results, const Quantity& quantity) {
  std::vector<double> values;
  for (const RunResult& run : results.runs) values.push_back(quantity(run));
  return values;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// What a table shows of a run.
double cross_entropy(const RunResult& run) { return run.cross_entropy; }
double first_position(const RunResult& run) { return run.loss_by_position.front(); }
double last_position(const RunResult& run) { return run.loss_by_position.back(); }
double character_error_rate(const RunResult& run) { return run.character_error_rate.mean; }
double word_error_rate(const RunResult& run) { return run.word_error_rate.mean; }
double bleu(const RunResult& run) { return run.bleu.mean; }

std::string row(const std::vector<std::string>& cells) { return fmt::format("| {} |\n", fmt::join(cells, " | ")); }

/// The first lines of a table: names, and a rule under them.
std::string head(const std::vector<std::string>& names) {
  return row(names) + row(std::vector<std::string>(names.size(), "---"));
}

/// Mechanism, aggregation and normalizer; classical attention has no choice of the last.
std::vector<std::string> labels(const Variant& variant) {
  return {variant.attention, name_of(variant.aggregation),
          variant.attention == "csa" ? "" : name_of(variant.normalizer)};
}

std::string results_table(const std::vector<VariantResults>& results) {
  std::string table = head({"attention", "aggregation", "normalizer", "parameters a head", "cross-entropy",
                            "at the first position", "at the last position", "CER", "WER", "BLEU", "audit"});
  for (const VariantResults& one : results) {
    std::vector<std::string> cells = labels(one.variant);
    cells.push_back(fmt::format("{}", one.runs.front().parameters_a_head));
    for (const Quantity quantity :
         {cross_entropy, first_position, last_position, character_error_rate, word_error_rate, bleu}) {
      cells.push_back(mean_and_spread(each(one, quantity)));
    }
    const auto causal = std::count_if(one.runs.begin(), one.runs.end(), [](const auto& run) { return run.causal; });
    cells.push_back(causal == std::ssize(one.runs) ? "causal"
                    : causal == 0                  ? "reads the future"
                                                   : "some runs read the future");
    table += row(cells);
  }
  return table;
}

std::string ratio_table(const std::vector<VariantResults>& results) {
  std::string table = head({"attention", "aggregation", "normalizer", "cross-entropy", "CER", "WER", "BLEU"});
  const VariantResults& classical = results.front();
  for (const VariantResults& one : results) {
    std::vector<std::string> cells = labels(one.variant);
    for (const Quantity error : {cross_entropy, character_error_rate, word_error_rate}) {
      cells.push_back(fmt::format("{:.2f}", mean(each(classical, error)) / mean(each(one, error))));
    }
    cells.push_back(fmt::format("{:.2f}", mean(each(one, bleu)) / mean(each(classical, bleu))));
    table += row(cells);
  }
  return table;
}

std::string timing_table(const std::vector<Timing>& timings) {
  std::map<Index, double> classical;  // milliseconds by width
  for (const Timing& timing : timings) {
    if (timing.kind == "csa") classical[timing.n_embd] = timing.milliseconds;
  }
  std::string table = head({"inference", "n_embd", "ms a batch", "times csa"});
  for (const Timing& timing : timings) {
    table += row({timing.kind, fmt::format("{}", timing.n_embd), fmt::format("{:.2f}", timing.milliseconds),
                  fmt::format("{:.2f}", timing.milliseconds / classical.at(timing.n_embd))});
  }
  return table;
}

}  // namespace

std::string mean_and_spread(const std::vector<double>& values) {
  const double middle = mean(values);
  if (values.size() < 2) return fmt::format("{:.3f}", middle);
  double squares = 0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  return fmt::format("{:.3f} ± {:.3f}", middle, std::sqrt(squares / static_cast<double>(values.size() - 1)));
}

std::string csv_table(const std::vector<VariantResults>& results) {
  std::string table =
      "attention,aggregation,normalizer,seed,parameters,parameters_a_head,dead_outputs,cross_entropy,first_position,"
      "last_position,cer,cer_deviation,wer,wer_deviation,bleu,bleu_deviation,causal,training_seconds\n";
  for (const auto& [variant, runs] : results) {
    for (const RunResult& run : runs) {
      table += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", fmt::join(labels(variant), ","),
                           run.settings.at("seed"), run.parameters, run.parameters_a_head, run.dead_outputs,
                           run.cross_entropy, first_position(run), last_position(run), run.character_error_rate.mean,
                           run.character_error_rate.deviation, run.word_error_rate.mean, run.word_error_rate.deviation,
                           run.bleu.mean, run.bleu.deviation, fmt::format("{},{:.1f}", run.causal, run.seconds));
    }
  }
  return table;
}

std::string markdown_tables(const std::string& title, const std::vector<VariantResults>& results,
                            const std::vector<Timing>& timings) {
  return fmt::format(
      "# {}\n\n"
      "On the validation text: cross-entropy in nats a character; error rates and BLEU of the likeliest characters,\n"
      "window by window. Mean over seeds ± standard deviation. Whether a model reads the future was found out by\n"
      "changing characters and watching the logits before them: its numbers are then no measure of it.\n\n{}\n"
      "## Times better than classical attention\n\nOver 1 is better, under 1 worse.\n\n{}\n"
      "## Time of inference\n\nMedian of a batch of {} sequences of 16 characters, 6 layers, 1 head.\n\n{}",
      title, results_table(results), ratio_table(results), timed_batch, timing_table(timings));
}

}  // namespace qisa
