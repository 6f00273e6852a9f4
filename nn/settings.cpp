#include "nn/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

#include "nn/attention/mechanism.hpp"

namespace qisa {

const std::map<std::string, Normalizer> normalizer_names = {{"sum", Normalizer::sum}, {"softmax", Normalizer::softmax}};
const std::map<std::string, Aggregation> aggregation_names = {{"causal", Aggregation::causal},
                                                              {"transposed", Aggregation::transposed}};
const std::map<std::string, PauliChoice> pauli_names = {{"published", PauliChoice::published},
                                                        {"real", PauliChoice::real}};
const std::map<std::string, Activation> activation_names = {{"relu", Activation::relu}, {"gelu", Activation::gelu}};
const std::map<std::string, Initialization> initialization_names = {{"paper", Initialization::paper},
                                                                    {"gpt", Initialization::gpt}};
const std::map<std::string, ScoreScale> score_scale_names = {{"embd", ScoreScale::embedding},
                                                             {"head", ScoreScale::head}};

namespace {

void check_range(const char* name, Index value, Index largest) {
  require(value >= 1 && value <= largest, "{} must be from 1 to {}, not {}", name, largest, value);
}

/// Each setting with how it is written and read: the one list of the settings' names.
struct Entry {
  std::string name;
  std::function<std::string(const ModelSettings&)> write;
  std::function<void(ModelSettings&, const std::string&)> read;
};

Entry number(const std::string& name, Index ModelSettings::*member) {
  return {name, [member](const ModelSettings& settings) { return std::to_string(settings.*member); },
          [name, member](ModelSettings& settings, const std::string& text) {
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, settings.*member);
            require(error == std::errc() && stop == end, "setting {} must be a whole number, not \"{}\"", name, text);
          }};
}

template <class Choice>
Entry choice(const std::string& name, Choice ModelSettings::*member, const std::map<std::string, Choice>& names) {
  return {name, [member, &names](const ModelSettings& settings) { return name_of(names, settings.*member); },
          [name, member, &names](ModelSettings& settings, const std::string& text) {
            const auto found = names.find(text);
            std::string known;
            for (const auto& [known_name, value] : names) known += (known.empty() ? "" : " or ") + known_name;
            require(found != names.end(), "setting {} must be {}, not \"{}\"", name, known, text);
            settings.*member = found->second;
          }};
}

const std::vector<Entry>& entries() {
  static const std::map<std::string, bool> booleans = {{"true", true}, {"false", false}};
  static const std::vector<Entry> list = {
      number("vocabulary_size", &ModelSettings::vocabulary_size),
      number("n_layer", &ModelSettings::n_layer),
      number("n_head", &ModelSettings::n_head),
      number("n_embd", &ModelSettings::n_embd),
      number("block_size", &ModelSettings::block_size),
      {"attention", [](const ModelSettings& settings) { return settings.attention; },
       [](ModelSettings& settings, const std::string& text) { settings.attention = text; }},
      choice("normalizer", &ModelSettings::normalizer, normalizer_names),
      choice("aggregation", &ModelSettings::aggregation, aggregation_names),
      choice("pauli", &ModelSettings::pauli, pauli_names),
      choice("activation", &ModelSettings::activation, activation_names),
      choice("init", &ModelSettings::init, initialization_names),
      choice("score_scale", &ModelSettings::score_scale, score_scale_names),
      choice("tie_embeddings", &ModelSettings::tie_embeddings, booleans),
  };
  return list;
}

}  // namespace

void ModelSettings::validate() const {
  check_range("vocabulary_size", vocabulary_size, 0x110000);
  check_range("n_layer", n_layer, 1000);
  check_range("n_head", n_head, 1000);
  check_range("n_embd", n_embd, Index{1} << Circuit::max_wires);
  check_range("block_size", block_size, Index{1} << 20);
  require(n_embd % n_head == 0, "n_embd {} must be a multiple of n_head {}", n_embd, n_head);
  find_mechanism(attention);
}

Initial ModelSettings::weight_initial(Index fan_in, bool residual) const {
  if (init == Initialization::paper) return Initial::uniform(1 / std::sqrt(static_cast<double>(fan_in)));
  return Initial::normal(residual ? 0.02 / std::sqrt(2.0 * static_cast<double>(n_layer)) : 0.02);
}

Initial ModelSettings::bias_initial(Index fan_in) const {
  if (init == Initialization::paper) return Initial::uniform(1 / std::sqrt(static_cast<double>(fan_in)));
  return Initial::constant(0);
}

Initial ModelSettings::embedding_initial() const { return Initial::normal(init == Initialization::paper ? 1 : 0.02); }

std::map<std::string, std::string> to_text(const ModelSettings& settings) {
  std::map<std::string, std::string> text;
  for (const Entry& entry : entries()) text[entry.name] = entry.write(settings);
  return text;
}

ModelSettings settings_from_text(const std::map<std::string, std::string>& text) {
  ModelSettings settings;
  for (const Entry& entry : entries()) {
    const auto found = text.find(entry.name);
    require(found != text.end(), "the setting {} is missing", entry.name);
    entry.read(settings, found->second);
  }
  for (const auto& given : text) {
    const bool known =
        std::any_of(entries().begin(), entries().end(), [&](const Entry& entry) { return entry.name == given.first; });
    require(known, "there is no setting {}", given.first);
  }
  return settings;
}

}  // namespace qisa
