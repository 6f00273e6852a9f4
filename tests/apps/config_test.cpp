// The options of train: on the command line, in a config file, and in what they change.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "nn/files/checkpoint.hpp"
#include "nn/training/workers.hpp"
#include "tests/apps/option_values.hpp"
#include "tests/apps/pattern.hpp"

using namespace qisa;
using namespace qisa::test;

namespace config_test {

/// What the help says of an option.
struct Told {
  std::string name, value;  // without a default the value is empty
};

std::vector<Told> options_of_help(const std::string& help) {
  std::vector<Told> told;
  // "  --name TYPE:{choices}=default  …", or with "[default]" in later versions of CLI11.
  const Pattern pattern(R"(^  --([a-z0-9_]+)( +[A-Z]+(:\{[^}]*\})?((=| \[)([^] ]+))?)?)");
  for (const std::string& line : lines_of(help)) {
    for (const Groups& match : pattern.matches(line)) told.push_back({match[1], match[6]});
  }
  return told;
}

/// These say which run is meant; they are no part of it.
bool names_a_run(const std::string& option) {
  return option == "config" || option == "resume" || option == "out_dir" || option == "overwrite";
}

std::string config_line(const std::string& name, const std::string& value) {
  const bool number = Pattern("^(-?[0-9.]+|true|false)$").is_in(value);
  return number ? name + " = " + value + "\n" : name + " = \"" + value + "\"\n";
}

/// Trains a tiny model with these options too, in out_dir "out" unless they say otherwise.
Outcome train_with(const Workplace& place, Options options) {
  options.merge(Options{{"out_dir", "out"}, {"overwrite", "true"}, {"warmup_iters", "2"}});
  const Outcome outcome = place.train_tiny(options);
  require_success(outcome);
  return outcome;
}

std::vector<Real> weights(const Workplace& place) {
  const Checkpoint checkpoint = load_checkpoint(place.path / "out/latest.safetensors");
  const std::span<const Real> values = checkpoint.model.parameters().values().values();
  return {values.begin(), values.end()};
}

TEST_CASE("Every option of the help is accepted, and config.toml then says it") {
  const Workplace place;
  place.write("other.txt", Workplace::verse());
  const Outcome help = place.train({"--help"});
  require_success(help);
  Options values = model_options;
  values.insert(training_options.begin(), training_options.end());
  values.insert(other_options.begin(), other_options.end());
  for (const Told& told : options_of_help(help.out)) {
    if (names_a_run(told.name)) continue;
    CAPTURE(told.name);
    REQUIRE(values.contains(told.name));  // an option that the tables above lack belongs there
    const std::string value = values.extract(told.name).mapped();
    train_with(place, {{told.name, value}});
    CHECK(place.read("out/config.toml").find(config_line(told.name, value)) != std::string::npos);
  }
  CHECK(values == Options{{"out_dir", "elsewhere"}});  // which run it is: no setting
}

TEST_CASE("Each default that the help shows is the one that training uses") {
  const Workplace place;
  place.write("data/shakespeare.txt", Workplace::verse());
  Surroundings around;
  around.signal = SIGTERM;  // once it trains with nothing but defaults
  around.signal_after = "step ";
  REQUIRE(place.train({}, around).exit_code == 143);
  const std::string config = place.read("runs/qisa-v3-1/config.toml");
  const std::vector<Told> help = options_of_help(place.train({"--help"}).out);
  Options expected = {{"tie_embeddings", "false"}};
  for (const Told& told : help) {
    if (!names_a_run(told.name)) expected.emplace(told.name, told.value);
  }
  // These three are computed, as the help says; the first up to rounding.
  expected.at("min_lr") = fmt::format("{:.6g}", std::stod(expected.at("learning_rate")) / 10);
  expected.at("lr_decay_iters") = expected.at("max_iters");
  expected.at("threads") = std::to_string(available_processors());
  for (const auto& [name, value] : expected) {
    std::string line = config_line(name, value);
    if (name == "min_lr") line.pop_back();
    INFO("expected: " << line << "\nin:\n" << config);
    CHECK(config.find(line) != std::string::npos);
  }
  CHECK(std::ssize(expected) == std::count(config.begin(), config.end(), '\n'));
}

TEST_CASE("A model option sets the checkpoint's setting of its name, and no other") {
  const Workplace place;
  const auto settings = [&](const Options& options) {
    train_with(place, options);
    return to_text(load_checkpoint(place.path / "out/latest.safetensors").model.settings());
  };
  const std::map<std::string, std::string> plain = settings({});
  CHECK(plain.size() == model_options.size() + 1);  // all but vocabulary_size are options
  for (const auto& [name, value] : model_options) {
    CAPTURE(name);
    std::map<std::string, std::string> expected = plain;
    expected.at(name) = value;
    CHECK(settings({{name, value}}) == expected);
  }
}

TEST_CASE("Every training option changes the weights that come out, and no other option does") {
  const Workplace place;
  place.write("other.txt", Workplace::verse());
  train_with(place, {});
  const std::vector<Real> plain = weights(place);
  for (const auto& [name, value] : training_options) {
    CAPTURE(name);
    train_with(place, {{name, value}});
    CHECK((weights(place) != plain));
  }
  for (const auto& [name, value] : other_options) {
    CAPTURE(name);
    train_with(place, {{name, value}});
    CHECK((weights(place) == plain));
  }
}

TEST_CASE("A run's config.toml given back repeats the run to the last byte") {
  const Workplace place;
  const std::string odd = "a text, new = [x]; it's.txt";
  place.write(odd, Workplace::verse());
  for (const std::string data : {"text.txt", odd.c_str()}) {
    CAPTURE(data);
    require_success(place.train_tiny({{"out_dir", "one"},
                                      {"overwrite", "true"},
                                      {"data", data},
                                      {"attention", "csa"},
                                      {"tie_embeddings", "true"},
                                      {"init", "gpt"},
                                      {"learning_rate", "0.0123456789"},
                                      {"dropout", "0.1"},
                                      {"eval_interval", "10"},
                                      {"seed", "12345678901234567890"}}));
    require_success(place.train({"--config", "one/config.toml", "--out_dir", "two", "--overwrite"}));
    CHECK((place.read("one/latest.safetensors") == place.read("two/latest.safetensors")));
    CHECK((place.read("one/best.safetensors") == place.read("two/best.safetensors")));
  }
}

TEST_CASE("A config file of defaults is read back as it is, with its empty strings") {
  const Workplace place;
  place.write("data/shakespeare.txt", Workplace::verse());
  const Arguments tiny = {"--n_layer=1", "--n_embd=8", "--block_size=8", "--max_iters=2"};
  require_success(place.train(tiny));
  require_success(place.train({"--config", "runs/qisa-v3-1/config.toml"}));
  CHECK(place.read("runs/qisa-v3-1/config.toml") == place.read("runs/qisa-v3-2/config.toml"));
  CHECK((place.read("runs/qisa-v3-1/latest.safetensors") == place.read("runs/qisa-v3-2/latest.safetensors")));
}

TEST_CASE("The command line goes before the config file") {
  const Workplace place;
  place.write("few.toml", "# three of them\nn_embd = 12  # the width\nseed = 5\ntie_embeddings = true\n");
  const Outcome outcome =
      place.train({"--config", "few.toml", "--data=text.txt", "--n_embd=16", "--tie_embeddings=false", "--n_layer=1",
                   "--block_size=8", "--max_iters=1", "--out_dir=out"});
  require_success(outcome);
  const std::string config = place.read("out/config.toml");
  CHECK(config.find("n_embd = 16\n") != std::string::npos);
  CHECK(config.find("tie_embeddings = false\n") != std::string::npos);
  CHECK(config.find("seed = 5\n") != std::string::npos);
}

TEST_CASE("A config file with something wrong in it is refused by name") {
  const Workplace place;
  struct Case {
    std::string content;
    std::vector<std::string> pieces;
  };
  const std::vector<Case> cases = {
      {"n_layer = 1\nn_layers = 2\n", {"n_layers"}},
      {"n_layer = many\n", {"n_layer", "many"}},
      {"learning_rate = \"fast\"\n", {"learning_rate", "fast"}},
      {"attention = \"softmax\"\n", {"attention", "softmax"}},
      {"tie_embeddings = \"perhaps\"\n", {"tie_embeddings"}},
      {"n_layer = 2 3\n", {"n_layer"}},
      {"n_layer =\n", {"n_layer"}},
      {"seed = -1\n", {"seed", "-1"}},
      {"[model]\nn_layer = 2\n", {"model"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.content);
    place.write("wrong.toml", one.content);
    check_refused(place.train({"--config", "wrong.toml", "--data=text.txt", "--n_embd=8", "--block_size=8",
                               "--max_iters=1", "--out_dir=out"}),
                  2, one.pieces);
    CHECK_FALSE(std::filesystem::exists(place.path / "out"));
  }
}

TEST_CASE("A name that a config file cannot hold, for its # or quotation mark, is refused at once") {
  const Workplace place;
  for (const std::string name : {"text #1.txt", "text \", \".txt"}) {
    CAPTURE(name);
    place.write(name, Workplace::verse());
    check_refused(place.train_tiny({{"data", name}}), 1, {name});
  }
  CHECK_FALSE(std::filesystem::exists(place.path / "runs"));
}

TEST_CASE("A config file that is not there is refused by name") {
  const Workplace place;
  check_refused(place.train({"--config", "no-such.toml"}), 2, {"no-such.toml"});
  check_refused(place.train({"--config"}), 2, {"--config"});
  CHECK(place.names() == std::set<std::string>{"text.txt"});
}

TEST_CASE("A config file that is none, or endless, is refused by name") {
  const Workplace place;
  std::filesystem::create_directories(place.path / "folder/config.toml");
  check_refused(place.train({"--config", "/dev/zero"}), 2, {"/dev/zero", "not a file"});
  check_refused(place.train({"--config", "folder"}), 2, {"folder", "not a file"});
  place.write("long.toml", std::string(2'000'000, '\n'));
  check_refused(place.train({"--config", "long.toml"}), 2, {"long.toml", "2000000 bytes are too many"});
  check_refused(place.train({"--resume", "folder"}), 1, {"folder/config.toml", "not a file"});
}

}  // namespace config_test
