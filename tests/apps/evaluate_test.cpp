// evaluate: numbers against the library's and by hand, the same as text and as JSON, and what it says of a
// model that reads the future.
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "nn/files/checkpoint.hpp"
#include "nn/text/builtin_corpus.hpp"
#include "nn/text/text_data.hpp"
#include "nn/training/evaluation.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
using Json = nlohmann::json;

namespace evaluate_test {

struct Trained : Workplace {
  explicit Trained(const Options& options = {}) {
    Options all = options;
    all.merge(Options{{"out_dir", "runs/a"}});
    require_success(train_tiny(all));
  }

  Outcome evaluate(Options options) const {
    options.merge(Options{{"data", "text.txt"}});
    std::string command = "cd '" + path.string() + "' && '" QISA_PROGRAMS "/evaluate'";
    for (const std::string& argument : as_arguments(options)) command += " '" + argument + "'";
    const int status = std::system((command + " >out.txt 2>err.txt").c_str());
    REQUIRE(WIFEXITED(status));
    return {WEXITSTATUS(status), read("out.txt"), read("err.txt")};
  }

  std::string text(const Options& options = {}) const {
    const Outcome outcome = evaluate(options);
    require_success(outcome);
    return outcome.out;
  }

  /// The one object that --json prints.
  Json json(Options options = {}) const {
    options["json"] = "true";
    return Json::parse(text(options));
  }
};

/// The numbers of `line` as text, in their order.
std::vector<std::string> numbers_of(const std::string& line) {
  std::vector<std::string> numbers;
  const char* digits = "0123456789.-";
  for (std::size_t begin = line.find_first_of(digits); begin != line.npos;) {
    const std::size_t end = line.find_first_not_of(digits, begin);
    numbers.push_back(line.substr(begin, end - begin));
    begin = line.find_first_of(digits, end);
  }
  return numbers;
}

std::vector<std::string> rounded(const std::vector<double>& values) {
  std::vector<std::string> result;
  for (const double value : values) result.push_back(fmt::format("{:.4f}", value));
  return result;
}

/// The line of `text` that contains `piece`.
std::string line_with(const std::string& text, const std::string& piece) {
  for (const std::string& line : lines_of(text)) {
    if (line.find(piece) != std::string::npos) return line;
  }
  FAIL("no line with \"" << piece << "\" in:\n" << text);
  throw;
}

// Transposed attention that has learned to copy the next character, in half a second.
const Options copier = {
    {"data", "builtin"},    {"aggregation", "transposed"}, {"normalizer", "softmax"}, {"n_layer", "2"},
    {"n_embd", "16"},       {"max_iters", "1000"},         {"batch_size", "32"},      {"learning_rate", "1e-2"},
    {"warmup_iters", "20"}, {"eval_interval", "1000"}};

TEST_CASE("JSON has every number, by these names") {
  const Trained place;
  const Json json = place.json();
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"audit", "below_entropy", "bits_a_character", "bleu", "character_error_rate",
                                         "checkpoint", "data", "dead_outputs", "entropy", "loss", "loss_by_position",
                                         "own_text", "parameters", "parameters_a_head", "part", "settings", "windows",
                                         "windows_without_words", "word_error_rate"});
  CHECK(json.at("audit").size() == 5);
  CHECK(json.at("settings").at("attention") == "qisa-v3");
  CHECK(json.at("settings").at("block_size") == 8);
  CHECK(json.at("loss_by_position").size() == 8);
  CHECK(json.at("own_text") == true);
  CHECK(json.at("entropy").is_null());
  CHECK(json.at("below_entropy").is_null());
}

TEST_CASE("The loss is that of the validation text, in nats and bits, in full precision") {
  const Trained place;
  const Json json = place.json();
  const Checkpoint checkpoint = load_checkpoint(place.path / "runs/a/latest.safetensors");
  const TextData data = split(checkpoint.tokenizer.encode(Workplace::verse()), 8);
  Workers workers(1);
  CHECK(json.at("loss").get<double>() ==
        Approx(predict(checkpoint.model, data.validation(), workers).mean_loss()).epsilon(1e-6));
  CHECK(json.at("bits_a_character").get<double>() == Approx(json.at("loss").get<double>() / std::log(2.0)));
  double sum = 0;
  for (const double loss : json.at("loss_by_position")) sum += loss;
  CHECK(json.at("loss").get<double>() == Approx(sum / 8).epsilon(1e-14));
  CHECK(json.at("windows") == (data.validation().size() - 1) / 8);
}

TEST_CASE("Parameters are counted as the paper does, in all and a head") {
  // Width 8, 3 wires, a head: 2 (8 + 1) 8 + 3 · 3.
  const Json json = Trained().json();
  CHECK(json.at("parameters_a_head") == 153);
  const Index characters = json.at("settings").at("vocabulary_size");
  const Index block = 2 * (2 * 8) + 153 + (8 * 8 + 8) + (8 * 32 + 32) + (32 * 8 + 8);
  CHECK(json.at("parameters") == characters * 8 + 8 * 8 + block + 2 * 8 + (8 * characters + characters));
}

TEST_CASE("The text shows the numbers of the JSON, rounded") {
  const Trained place;
  const Json json = place.json();
  const std::string text = place.text();
  const auto row = [&](const std::string& title, const Json& values) {
    const auto pair = rounded({values.at("mean").get<double>(), values.at("deviation").get<double>()});
    const auto shown = numbers_of(line_with(text, title));
    REQUIRE(shown.size() >= 2);
    CHECK(std::vector(shown.begin(), shown.begin() + 2) == pair);
  };
  CHECK(numbers_of(line_with(text, "loss   ")) ==
        rounded({json.at("loss").get<double>(), json.at("bits_a_character").get<double>()}));
  CHECK(numbers_of(line_with(text, "at position")) == std::vector<std::string>{"1", "2", "4", "8"});
  const std::vector<double> losses = json.at("loss_by_position");
  const std::string expected =
      fmt::format("{}", fmt::join(rounded({losses[0], losses[1], losses[3], losses[7]}), "  "));
  CHECK(text.find(expected) != std::string::npos);
  row("character error rate", json.at("character_error_rate"));
  row("word error rate", json.at("word_error_rate"));
  row("BLEU", json.at("bleu"));
  CHECK(text.find(fmt::format("{} parameters, 153 a head", json.at("parameters").get<Index>())) != std::string::npos);
  CHECK(text.find("dead") == std::string::npos);
  CHECK(text.find("entropy") == std::string::npos);
}

TEST_CASE("Parts and windows are as asked for, and threads change nothing") {
  const Trained place;
  const Index characters = std::ssize(Workplace::verse()), train = characters * 9 / 10;
  CHECK(place.json({{"part", "train"}}).at("windows") == (train - 1) / 8);
  CHECK(place.json({{"part", "validation"}}).at("windows") == (characters - train - 1) / 8);
  CHECK(place.json({{"part", "all"}}).at("windows") == (characters - 1) / 8);
  CHECK(place.json({{"part", "all"}, {"windows", "7"}}).at("windows") == 7);
  const Options all = {{"part", "all"}, {"json", "true"}};
  Options three = all;
  three["threads"] = "3";
  CHECK(place.text(all) == place.text(three));
}

TEST_CASE("The checkpoint is a file, a run's folder, or the newest run's") {
  const Trained place(Options{{"attention", "csa"}});
  for (const std::string given : {"runs/a/latest.safetensors", "runs/a"}) {
    CHECK(place.json({{"checkpoint", given}}).at("checkpoint") == "runs/a/latest.safetensors");
  }
  CHECK(place.json().at("checkpoint") == "runs/a/latest.safetensors");
}

TEST_CASE("Without --data a model is evaluated on its own text, and another text is told") {
  const Trained place;
  const auto evaluate = [&](const Arguments& arguments) { return place.Workplace::evaluate(arguments); };
  place.write("data/shakespeare.txt", "another text: " + Workplace::verse());
  const Outcome own = evaluate({});
  require_success(own);
  CHECK(line_with(own.out, "data   ").find("text.txt, which the model was trained on") != std::string::npos);
  CHECK(line_with(own.out, "loss ") == line_with(place.text(), "loss "));

  place.write("other.txt", Workplace::verse().substr(1));
  const Outcome other = evaluate({"--data", "other.txt"});
  CHECK(other.exit_code == 0);
  CHECK(other.err ==
        "other.txt is not the text that the model was trained on, text.txt: its loss is that of another text\n");

  place.write("text.txt", Workplace::verse() + "\n");
  CHECK(evaluate({}).err ==
        "text.txt is not the text that the model was trained on: its loss is that of another text\n");
  std::filesystem::remove(place.path / "text.txt");
  check_refused(evaluate({}), 1, {"runs/a", "trained on text.txt, which is not there", "--data"});
}

TEST_CASE("Dead outputs of qisa are its strings with an odd number of Y") {
  const Trained place(Options{{"attention", "qisa"}, {"n_embd", "16"}, {"n_layer", "3"}});
  Index odd = 0;
  const Checkpoint checkpoint = load_checkpoint(place.path / "runs/a/latest.safetensors");
  for (const LayerStrings& layer : checkpoint.model.pauli_strings()) {
    for (const PauliString& string : layer.at(0)) {
      odd += std::count(string.text().begin(), string.text().end(), 'Y') % 2;
    }
  }
  REQUIRE(odd > 0);
  CHECK(place.json().at("dead_outputs") == odd);
  CHECK(place.text().find(fmt::format("{} of 48 measured outputs are dead", odd)) != std::string::npos);
}

TEST_CASE("A causal model is cleared") {
  const Trained place(Options{{"data", "builtin"}});
  const Options builtin = {{"data", "builtin"}, {"windows", "500"}};
  const Json json = place.json(builtin);
  CHECK(json.at("audit") ==
        Json{{"causal", true}, {"changes", 28}, {"position", 0}, {"moved_positions", 0}, {"largest_move", 0.0}});
  CHECK(json.at("entropy") == builtin_corpus_entropy());
  CHECK(json.at("below_entropy") == false);
  const std::string text = place.text(builtin);
  line_with(text, "audit  causal: no logit before a changed character moved (28 changes tried)");
  CHECK(text.find("reads the future") == std::string::npos);
  line_with(text, fmt::format("; entropy of the text {:.4f} nats", builtin_corpus_entropy()));
}

TEST_CASE("A transposed model that copies is convicted by the audit, and by a loss below the text's entropy") {
  const Trained place(copier);
  const Options builtin = {{"data", "builtin"}};
  const Json json = place.json(builtin);
  CHECK(json.at("audit").at("causal") == false);
  CHECK(json.at("audit").at("position") == 7);
  CHECK(json.at("audit").at("moved_positions") == 7);
  CHECK(json.at("loss").get<double>() < builtin_corpus_entropy());
  CHECK(json.at("below_entropy") == true);
  const std::string text = place.text(builtin);
  line_with(text, "audit  reads the future: changing character 8 moved the logits of 7 earlier positions, by up to");
  line_with(text, "the loss is below the text's entropy, where no causal model can be: the model reads the future");

  // Text that was trained on can be known by heart, and of few characters little can be said.
  CHECK(place.json({{"data", "builtin"}, {"part", "train"}}).at("below_entropy").is_null());
  CHECK(place.json({{"data", "builtin"}, {"windows", "1"}}).at("below_entropy") == false);
}

TEST_CASE("Weights that are no numbers are named, and the loss is given if they do not matter to it") {
  const Trained place;
  const std::filesystem::path path = place.path / "runs/a/latest.safetensors";
  const auto spoil = [&](const std::string& name, Index number) {
    Checkpoint checkpoint = load_checkpoint(path);
    Parameters& parameters = checkpoint.model.parameters();
    parameters.part(parameters.values(), name)[number] = Real(NAN);
    save_checkpoint(path, checkpoint.model, checkpoint.tokenizer, nullptr);
  };
  const Index row = load_checkpoint(path).tokenizer.encode("0")[0];  // the validation text has no 0
  spoil("embedding.weight", row * 8 + 3);
  check_refused(place.evaluate({}), 1, {"embedding.weight contains nan"});
  const Outcome seen = place.evaluate({{"allow_nonfinite", "true"}, {"json", "true"}});
  CHECK(seen.exit_code == 0);
  CHECK(seen.err.starts_with("weights that are not finite: 1 of "));
  CHECK(seen.err.ends_with(" in embedding.weight\n"));
  CHECK(Json::parse(seen.out).at("loss").is_number());

  require_success(place.train_tiny({{"out_dir", "runs/a"}, {"overwrite", "true"}}));
  spoil("norm.bias", 7);
  const Outcome lost = place.evaluate({{"allow_nonfinite", "true"}});
  CHECK(lost.exit_code == 1);
  CHECK(lost.out.empty());
  CHECK(lost.err.find("not finite: 1 of 8 in norm.bias\n") != std::string::npos);
  CHECK(lost.err.find("error: the model's logits are not finite") != std::string::npos);
}

TEST_CASE("What cannot be evaluated is refused in one line") {
  const Trained place;
  check_refused(place.evaluate({{"checkpoint", "nowhere"}}), 1, {"nowhere"});
  check_refused(place.evaluate({{"data", "nothing.txt"}}), 1, {"nothing.txt"});
  check_refused(place.evaluate({{"windows", "-1"}}), 1, {"windows", "-1"});
  check_refused(place.evaluate({{"threads", "-1"}}), 1, {"threads", "-1"});
  check_refused(place.evaluate({{"part", "test"}}), 2, {"part", "test"});
  place.write("short.txt", "the cat");
  check_refused(place.evaluate({{"data", "short.txt"}, {"part", "all"}}), 1, {"7 characters", "window of 8"});
  place.write("greek.txt", "λόγος λόγος λόγος λόγος λόγος λόγος");
  check_refused(place.evaluate({{"data", "greek.txt"}}), 1, {"λ"});
  std::filesystem::remove_all(place.path / "runs");
  check_refused(place.evaluate({}), 1, {"train"});
}

}  // namespace evaluate_test
