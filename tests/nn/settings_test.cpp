// A model's settings: as text and back, their limits, and the starting values that they stand for.
#include "nn/settings.hpp"

#include <cmath>

#include "nn/attention/mechanism.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace settings_test {

using Text = std::map<std::string, std::string>;

/// No setting has its default.
const Text unusual = {{"vocabulary_size", "7"},  {"n_layer", "3"},     {"n_head", "5"},
                      {"n_embd", "20"},          {"block_size", "11"}, {"attention", "csa"},
                      {"normalizer", "softmax"}, {"pauli", "real"},    {"aggregation", "transposed"},
                      {"activation", "gelu"},    {"init", "gpt"},      {"score_scale", "head"},
                      {"tie_embeddings", "true"}};

Text with(Text text, const std::string& name, const std::string& value) {
  text[name] = value;
  return text;
}

ModelSettings valid() {
  ModelSettings settings;
  settings.vocabulary_size = 7;
  return settings;
}

TEST_CASE("Settings become the text of the command line") {
  const Text expected = {{"vocabulary_size", "65"},  {"n_layer", "6"},       {"n_head", "1"},
                         {"n_embd", "16"},           {"block_size", "16"},   {"attention", "qisa-v3"},
                         {"normalizer", "sum"},      {"pauli", "published"}, {"aggregation", "causal"},
                         {"activation", "relu"},     {"init", "paper"},      {"score_scale", "embd"},
                         {"tie_embeddings", "false"}};
  ModelSettings settings;
  settings.vocabulary_size = 65;
  CHECK(to_text(settings) == expected);
}

TEST_CASE("Settings are read from text, every one of them") {
  const ModelSettings settings = settings_from_text(unusual);
  CHECK(settings.vocabulary_size == 7);
  CHECK(settings.n_layer == 3);
  CHECK(settings.n_head == 5);
  CHECK(settings.n_embd == 20);
  CHECK(settings.head_size() == 4);
  CHECK(settings.block_size == 11);
  CHECK(settings.attention == "csa");
  CHECK(settings.normalizer == Normalizer::softmax);
  CHECK(settings.aggregation == Aggregation::transposed);
  CHECK(settings.pauli == PauliChoice::real);
  CHECK(settings.activation == Activation::gelu);
  CHECK(settings.init == Initialization::gpt);
  CHECK(settings.score_scale == ScoreScale::head);
  CHECK(settings.tie_embeddings);
  CHECK(to_text(settings) == unusual);
}

TEST_CASE("A missing setting is named") {
  for (const auto& [name, value] : unusual) {
    Text text = unusual;
    text.erase(name);
    check_error(error_of([&] { settings_from_text(text); }), name);
  }
}

TEST_CASE("An unknown setting is named") {
  check_error(error_of([] { settings_from_text(with(unusual, "n_legs", "4")); }), "n_legs");
}

TEST_CASE("A malformed number is named, with its value") {
  for (const char* name : {"vocabulary_size", "n_layer", "n_head", "n_embd", "block_size"}) {
    for (const char* value : {"", "four", "4x", " 4", "4.0", "99999999999999999999"}) {
      const std::string message = error_of([&] { settings_from_text(with(unusual, name, value)); });
      check_error(message, name);
      check_error(message, fmt::format("\"{}\"", value));
    }
  }
}

TEST_CASE("An unknown choice is named, with the choices that there are") {
  const std::map<std::string, std::vector<std::string>> choices = {
      {"normalizer", {"sum", "softmax"}},   {"aggregation", {"causal", "transposed"}},
      {"pauli", {"published", "real"}},     {"activation", {"relu", "gelu"}},
      {"init", {"paper", "gpt"}},           {"score_scale", {"embd", "head"}},
      {"tie_embeddings", {"true", "false"}}};
  for (const auto& [name, known] : choices) {
    const std::string message = error_of([text = with(unusual, name, "purple")] { settings_from_text(text); });
    check_error(message, name);
    check_error(message, "purple");
    for (const std::string& choice : known) check_error(message, choice);
  }
}

TEST_CASE("Settings within their limits are valid, others are named") {
  valid().validate();
  struct Number {
    const char* name;
    Index ModelSettings::*member;
    Index largest;
  };
  for (const auto& [name, member, largest] :
       {Number{"vocabulary_size", &ModelSettings::vocabulary_size, 0x110000},
        Number{"n_layer", &ModelSettings::n_layer, 1000}, Number{"n_head", &ModelSettings::n_head, 1000},
        Number{"n_embd", &ModelSettings::n_embd, 65536}, Number{"block_size", &ModelSettings::block_size, 1048576}}) {
    for (const Index value : {Index{0}, Index{-1}, largest + 1}) {
      ModelSettings settings = valid();
      settings.*member = value;
      const std::string message = error_of([&] { settings.validate(); });
      check_error(message, name);
      check_error(message, std::to_string(value));
    }
  }
  ModelSettings settings = valid();
  settings.n_head = 3;
  check_error(error_of([&] { settings.validate(); }), "n_embd 16");
  check_error(error_of([&] { settings.validate(); }), "n_head 3");
}

TEST_CASE("An unknown mechanism is named, with all that there are") {
  ModelSettings settings = valid();
  settings.attention = "telepathy";
  const std::string message = error_of([&] { settings.validate(); });
  check_error(message, "telepathy");
  for (const char* name : {"csa", "qisa-v1", "qisa-v2", "qisa-v3", "qisa"}) {
    check_error(message, name);
    settings.attention = name;
    settings.validate();
  }
}

TEST_CASE("Starting values: PyTorch's, or GPT's with smaller ones into the residual stream") {
  const auto is = [](const Initial& initial, Initial::Kind kind, double value) {
    return initial.kind == kind && std::abs(initial.value - value) < 1e-15;
  };
  ModelSettings settings = valid();
  CHECK(is(settings.weight_initial(64), Initial::Kind::uniform, 0.125));
  CHECK(is(settings.weight_initial(64, true), Initial::Kind::uniform, 0.125));
  CHECK(is(settings.bias_initial(64), Initial::Kind::uniform, 0.125));
  CHECK(is(settings.embedding_initial(), Initial::Kind::normal, 1));
  settings.init = Initialization::gpt;
  settings.n_layer = 8;
  CHECK(is(settings.weight_initial(64), Initial::Kind::normal, 0.02));
  CHECK(is(settings.weight_initial(64, true), Initial::Kind::normal, 0.005));
  CHECK(is(settings.bias_initial(64), Initial::Kind::constant, 0));
  CHECK(is(settings.embedding_initial(), Initial::Kind::normal, 0.02));
}

}  // namespace settings_test
