// The options of train: on the command line, in a config file, and in what they change.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <optional>

#include "nn/files/checkpoint.hpp"
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
  return option == "config" || option == "resume" || option == "out_dir" || option == "overwrite" ||
         option == "init_from" || option == "version";
}

/// What a config file says of a name, without quotation marks; nothing if it does not have it.
std::optional<std::string> value_in(const std::string& config, const std::string& name) {
  for (const std::string& line : lines_of(config)) {
    if (!line.starts_with(name + " = ")) continue;
    const std::string value = line.substr(name.size() + 3);
    const bool quoted = value.front() == '"' || value.front() == '\'';
    return quoted ? value.substr(1, value.size() - 2) : value;
  }
  return {};
}

/// Whether two values are the same text or the same number: 1 and 1.0.
bool same(const std::string& one, const std::string& other) {
  const Pattern number("^-?[0-9.]+$");
  const bool numbers = number.is_in(one) && number.is_in(other);
  return one == other || (numbers && one.size() < 17 && std::stod(one) == std::stod(other));
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
    const std::optional<std::string> said = value_in(place.read("out/config.toml"), told.name);
    REQUIRE(said.has_value());
    CHECK(same(*said, value));
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
  expected["init_from"] = "";
  for (const auto& [name, value] : expected) {  // as asked for: what is computed from others is not
    CAPTURE(name, config);
    const std::optional<std::string> said = value_in(config, name);
    REQUIRE(said.has_value());
    CHECK(same(*said, value));
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
      {"n_layer = 1\nn_layers = 2\n", {"wrong.toml:2", "n_layers", "did you mean n_layer?"}},
      {"max_iter = 20\n", {"wrong.toml:1", "max_iter", "did you mean max_iters?"}},
      {"n_layer = many\n", {"wrong.toml:1"}},
      {"dropout =\n", {"wrong.toml:1"}},
      {"n_layer =\n", {"wrong.toml:1"}},
      {"n_layer = 2 3\n", {"wrong.toml:1"}},
      {"seed = 1\nn_layer = 1\nseed = 2\n", {"wrong.toml:3", "seed"}},
      {"learning_rate = \"fast\"\n", {"wrong.toml:1", "learning_rate must be a number", "fast"}},
      {"dropout = \"\"\n", {"wrong.toml:1", "dropout must be a number"}},
      {"attention = \"softmax\"\n", {"wrong.toml:1", "attention must be", "csa", "not softmax"}},
      {"normalizer = \"mean\"\n", {"wrong.toml:1", "normalizer must be sum or softmax, not mean"}},
      {"decay = true\n", {"wrong.toml:1", "decay must be all or matrices, not true"}},
      {"tie_embeddings = \"perhaps\"\n", {"tie_embeddings must be true or false", "perhaps"}},
      {"seed = -1\n", {"seed must be a whole number of at least 0", "-1"}},
      {"n_layer = 2.5\n", {"wrong.toml:1", "n_layer must be a whole number", "2.5"}},
      {"data = 3\n", {"data must be a text in quotation marks", "3"}},
      {"seed = [1, 2]\n", {"wrong.toml:1", "seed is a list"}},
      {"data = 2026-01-01\n", {"wrong.toml:1", "data is a date or time"}},
      {"\n[model]\nn_layer = 2\n", {"wrong.toml:2", "model is a table"}},
      {"resume = true\n", {"wrong.toml:1", "resume"}},
      {"[[[n_layer]]]\n", {"wrong.toml: it is not TOML"}},
      {"n_layer = 1\n[\x01", {"wrong.toml: it is not TOML"}},
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

TEST_CASE("A path with any characters comes back from a run's config.toml") {
  for (const std::string name : {"text #1.txt", "a \"text\".txt", "back\\slash.txt", "it's \"\\ é.txt",
                                 "line\nbreak.txt", "'''quotes'''.txt", "tab\t.txt"}) {
    CAPTURE(name);
    const Workplace place;
    place.write(name, Workplace::verse());
    require_success(place.train_tiny({{"data", name}, {"out_dir", "one"}}));
    require_success(place.train({"--config", "one/config.toml", "--out_dir", "two"}));
    CHECK((place.read("one/best.safetensors") == place.read("two/best.safetensors")));
    require_success(place.train({"--resume", "one", "--max_iters=21"}));
  }
}

TEST_CASE("A path that TOML cannot hold, as it is not UTF-8, is refused before anything is made") {
  const Workplace place;
  place.write("caf\xe9.txt", Workplace::verse());
  check_refused(place.train_tiny({{"data", "caf\xe9.txt"}}), 1, {"data", "UTF-8"});
  CHECK_FALSE(std::filesystem::exists(place.path / "runs"));
}

TEST_CASE("Settings are read as TOML says") {
  const Workplace place;
  place.write("tëxt #2.txt", Workplace::verse());
  place.write("settings.toml",
              "\xef\xbb\xbf# a byte-order mark before\n"
              "data = \"t\\u00ebxt #2.txt\"  # the text\n"
              "'n_embd' = 0x10\n"
              "n_layer = 2.0\n"
              "n_head = 1\n"
              "block_size = 0b1000\n"
              "max_iters = 1_0\n"
              "warmup_iters = 1e0\n"
              "dropout = 0\n"
              "learning_rate = 1_000e-5\n"
              "attention = 'csa'\n"
              "seed = \"18446744073709551615\"\n"
              "tie_embeddings=true");
  require_success(place.train({"--config", "settings.toml", "--out_dir", "out"}));
  const Checkpoint checkpoint = load_checkpoint(place.path / "out/latest.safetensors");
  const std::map<std::string, std::string>& settings = checkpoint.training->settings;
  for (const auto& [name, value] : std::map<std::string, std::string>{{"n_embd", "16"},
                                                                      {"n_layer", "2"},
                                                                      {"block_size", "8"},
                                                                      {"warmup_iters", "1"},
                                                                      {"learning_rate", "0.01"},
                                                                      {"attention", "csa"},
                                                                      {"seed", "18446744073709551615"},
                                                                      {"tie_embeddings", "true"}}) {
    CAPTURE(name);
    CHECK(settings.at(name) == value);
  }
  CHECK(checkpoint.training->steps == 10);
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
