// What is found out about a model, and the file that keeps it.
//
// Every finished run is a file at once, so that a reproduction that was interrupted goes on where it was.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/reproduction/reading.hpp"
#include "nn/text/text_metrics.hpp"
#include "tensor/error.hpp"

namespace qisa {

/// Losses are cross-entropies in nats a character.
struct RunResult {
  std::map<std::string, std::string> settings;                   // of model, training and text, by name
  std::vector<Index> steps;                                      // optimizer steps at the end of each interval
  std::vector<double> training_loss;                             // mean over the interval, with dropout
  double cross_entropy = 0;                                      // on the validation text, as all that follows
  std::vector<double> loss_by_position;                          // [block_size]
  MeanAndDeviation character_error_rate, word_error_rate, bleu;  // over windows
  Index parameters = 0, parameters_a_head = 0;
  Index dead_outputs = 0;  // measured outputs that are always 0
  double seconds = 0;      // of training
  bool causal = false;     // whether the audit saw no logit before a changed character move
  std::string audit;       // its verdict, for a person
  ReadingMap reading;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MeanAndDeviation, mean, deviation)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RunResult, settings, steps, training_loss, cross_entropy, loss_by_position,
                                   character_error_rate, word_error_rate, bleu, parameters, parameters_a_head,
                                   dead_outputs, seconds, causal, audit, reading)

/// Makes `text` the content of a file at once: as a whole or not at all.
void save_text(const std::filesystem::path& file, const std::string& text);

/// What save_json() wrote to the file; nothing if there is no file. Throws when it holds something else.
template <class T>
std::optional<T> load_json(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    return nlohmann::json::parse(std::ifstream(file)).get<T>();
  } catch (const nlohmann::json::exception& error) {
    throw_error("{}: not what was written there ({}); remove it to have it made again", file.string(), error.what());
  }
}

/// The result that the file holds; nothing if there is no file. Throws, naming the setting, when it is the
/// result of other settings.
std::optional<RunResult> load_result(const std::filesystem::path& file,
                                     const std::map<std::string, std::string>& settings);

/// Makes `value` the content of a file.
template <class T>
void save_json(const std::filesystem::path& file, const T& value) {
  save_text(file, nlohmann::json(value).dump(1) + "\n");
}

}  // namespace qisa
