// reproduce: what it trains, what it leaves, that it goes on where it stopped, and its tables against numbers
// put into the files of its runs by hand.
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "nn/gpt.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
using Json = nlohmann::json;

namespace reproduce_test {

struct Reproduction : Workplace {
  /// `before`: shell words before the program's name, to set its environment.
  Outcome reproduce(const std::string& arguments, const std::string& before = "") const {
    const std::string command = "cd '" + path.string() + "' && " + before + " '" QISA_PROGRAMS "/reproduce' " +
                                arguments + " >out.txt 2>err.txt";
    const int status = std::system(command.c_str());
    REQUIRE(WIFEXITED(status));
    return {WEXITSTATUS(status), read("out.txt"), read("err.txt")};
  }

  /// Tiny models, no figures drawn.
  Outcome quick(int seeds = 1) const {
    return reproduce("--quick --data text.txt --out r --threads 1 --seeds " + std::to_string(seeds), "PATH=");
  }

  Json run(const std::string& name) const { return Json::parse(read("r/runs/" + name + ".json")); }

  std::set<std::string> runs() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path / "r/runs")) names.insert(entry.path().stem());
    return names;
  }

  /// Changes numbers in the file of a run.
  void change(const std::string& name, const Json& changes) const {
    Json json = run(name);
    json.merge_patch(changes);
    write("r/runs/" + name + ".json", json.dump());
  }

  /// The cells of the rows in results.md that begin with these labels, table after table.
  std::vector<std::vector<std::string>> rows(const std::string& labels) const {
    std::vector<std::vector<std::string>> found;
    for (const std::string& line : lines_of(read("r/results.md"))) {
      if (!line.starts_with("| " + labels + " |")) continue;
      auto& cells = found.emplace_back();
      for (std::size_t begin = 2, end; (end = line.find(" |", begin)) != line.npos; begin = end + 3) {
        cells.push_back(line.substr(begin, end - begin));
      }
    }
    return found;
  }
};

const std::set<std::string> expected_runs = {
    "csa-causal-1",         "qisa-v1-transposed-softmax-1", "qisa-v1-causal-softmax-1",
    "qisa-v1-causal-sum-1", "qisa-v2-transposed-softmax-1", "qisa-v2-causal-softmax-1",
    "qisa-v2-causal-sum-1", "qisa-v3-transposed-softmax-1", "qisa-v3-causal-softmax-1",
    "qisa-v3-causal-sum-1", "qisa-transposed-softmax-1",    "qisa-causal-softmax-1",
    "qisa-causal-sum-1"};

TEST_CASE("reproduce trains every mechanism as published and with the leak closed, and finds who reads the future") {
  const Reproduction place;
  require_success(place.quick());
  REQUIRE(place.runs() == expected_runs);
  for (const std::string& name : expected_runs) {
    CAPTURE(name);
    const Json run = place.run(name);
    const bool transposed = name.find("transposed") != name.npos;
    CHECK(name.starts_with(run["settings"]["attention"].get<std::string>()));
    CHECK(run["settings"]["aggregation"] == (transposed ? "transposed" : "causal"));
    CHECK(run["causal"] == !transposed);
    CHECK(run["training_loss"].size() == run["steps"].size());
    CHECK(run["steps"].back() == 6);
    double sum = 0;
    for (const double loss : run["loss_by_position"]) sum += loss;
    CHECK(run["cross_entropy"].get<double>() == Approx(sum / 8));
    // Six steps do not lead far from guessing.
    const double guessing = std::log(std::stod(run["settings"]["vocabulary_size"].get<std::string>()));
    CHECK(run["cross_entropy"].get<double>() == Approx(guessing).epsilon(0.2));
  }
  // n_embd 4, 2 wires: 3 · 4 · 4; 9 · 2; 2 · 5 · 4 + 3 · 2; 2 · 5 · 4 + 4 · 4.
  CHECK(place.run("csa-causal-1")["parameters_a_head"] == 48);
  CHECK(place.run("qisa-v1-causal-sum-1")["parameters_a_head"] == 18);
  CHECK(place.run("qisa-v3-causal-sum-1")["parameters_a_head"] == 46);
  CHECK(place.run("qisa-causal-sum-1")["parameters_a_head"] == 56);
  CHECK(place.rows("qisa-v3 | transposed | softmax").front().back() == "reads the future");
  CHECK(place.rows("qisa-v3 | causal | softmax").front().back() == "causal");
  CHECK(lines_of(place.read("r/results.csv")).size() == 1 + expected_runs.size());
}

TEST_CASE("A map of attention shows what each output reads: the past, or as published the future") {
  const Reproduction place;
  require_success(place.quick());
  for (const std::string name : {"csa-causal-1", "qisa-v3-causal-sum-1", "qisa-v3-transposed-softmax-1"}) {
    CAPTURE(name);
    const bool transposed = name.find("transposed") != name.npos;
    const auto weights = place.run(name)["reading"]["weights"].get<std::vector<std::vector<double>>>();
    REQUIRE(weights.size() == 8);
    for (std::size_t a = 0; a < 8; ++a) {
      double sum = 0;  // over what query a gives to, whichever way it is applied
      for (std::size_t b = 0; b < 8; ++b) {
        CAPTURE(a, b);
        const bool may_read = transposed ? b >= a : b <= a;
        CHECK((weights[a][b] != 0) == may_read);
        sum += transposed ? weights[b][a] : weights[a][b];
      }
      CHECK(sum == Approx(1).epsilon(1e-5));
    }
  }
}

TEST_CASE("A finished run is not repeated, a missing one is made as it was, and more seeds add runs") {
  const Reproduction place;
  require_success(place.quick());
  Json removed = place.run("qisa-v2-causal-sum-1");
  place.change("csa-causal-1", {{"cross_entropy", 123.25}});
  std::filesystem::remove(place.path / "r/runs/qisa-v2-causal-sum-1.json");
  require_success(place.quick(2));
  CHECK(place.run("csa-causal-1")["cross_entropy"] == 123.25);
  CHECK(place.read("r/results.csv").find("123.25") != std::string::npos);
  Json again = place.run("qisa-v2-causal-sum-1");
  removed.erase("seconds");
  again.erase("seconds");
  CHECK(again == removed);
  CHECK(place.runs().size() == 2 * expected_runs.size());
  CHECK(place.run("csa-causal-2")["training_loss"] != place.run("csa-causal-1")["training_loss"]);
}

TEST_CASE("Tables give mean and standard deviation over seeds, and ratios to classical attention") {
  const Reproduction place;
  require_success(place.quick(3));
  const auto losses = [](double cross_entropy, double cer, double bleu) {
    return Json{{"cross_entropy", cross_entropy},
                {"character_error_rate", {{"mean", cer}}},
                {"bleu", {{"mean", bleu}}},
                {"causal", true}};
  };
  place.change("csa-causal-1", losses(2, 0.5, 0.1));
  place.change("csa-causal-2", losses(4, 0.5, 0.1));
  place.change("csa-causal-3", losses(6, 0.5, 0.1));
  place.change("qisa-causal-sum-1", losses(1, 0.2, 0.3));
  place.change("qisa-causal-sum-2", losses(1, 0.2, 0.2));
  place.change("qisa-causal-sum-3", losses(0, 0.2, 0.1));
  require_success(place.quick(3));
  const auto classical = place.rows("csa | causal | "), quantum = place.rows("qisa | causal | sum");
  REQUIRE(classical.size() == 2);
  REQUIRE(quantum.size() == 2);
  CHECK(classical[0][4] == "4.000 ± 2.000");
  CHECK(quantum[0][4] == "0.667 ± 0.577");
  CHECK(quantum[0][7] == "0.200 ± 0.000");
  CHECK(quantum[0][9] == "0.200 ± 0.100");
  CHECK(quantum[1][3] == "6.00");
  CHECK(quantum[1][4] == "2.50");
  CHECK(quantum[1][6] == "2.00");
}

TEST_CASE("Runs of other settings are not mixed: one line names the file and the setting") {
  const Reproduction place;
  require_success(place.quick());
  place.change("qisa-v3-causal-sum-1", {{"settings", {{"batch_size", "77"}}}});
  const Outcome outcome = place.quick();
  CHECK(outcome.exit_code == 1);
  REQUIRE(lines_of(outcome.err).size() == 1);
  CHECK(outcome.err.find("r/runs/qisa-v3-causal-sum-1.json") != std::string::npos);
  CHECK(outcome.err.find("batch_size = 77, not 4") != std::string::npos);

  place.write("r/runs/qisa-v3-causal-sum-1.json", "{\"steps\": [1");
  const Outcome torn = place.quick();
  CHECK(torn.exit_code == 1);
  CHECK(lines_of(torn.err).size() == 1);
  CHECK(torn.err.find("r/runs/qisa-v3-causal-sum-1.json") != std::string::npos);
}

TEST_CASE("Without gnuplot one line says so and all else is written, with it the scripts are run in their folder") {
  const Reproduction place;
  const std::set<std::string> names = {"timing", "loss", "positions", "attention"};
  const Outcome without = place.quick();
  require_success(without);
  CHECK(lines_of(without.out).back().find("gnuplot") != std::string::npos);
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(place.path / "r/figures")) {
    left.insert(entry.path().filename());
  }
  std::set<std::string> expected;
  for (const std::string& name : names) expected.insert({name + ".dat", name + ".gp"});
  CHECK(left == expected);
  CHECK(place.read("r/results.md").find("qisa-v3") != std::string::npos);

  place.write("bin/gnuplot",
              "#!/bin/sh\nfor script; do echo \"$script\" >>called.txt; [ -f \"$script\" ] || exit 1; done\n");
  std::filesystem::permissions(place.path / "bin/gnuplot", std::filesystem::perms::owner_all);
  const Outcome with = place.reproduce("--quick --data text.txt --out r --threads 1 --seeds 1", "PATH=\"$PWD/bin\"");
  require_success(with);
  CHECK(with.out.find("no figures") == std::string::npos);
  const auto called = lines_of(place.read("r/figures/called.txt"));
  std::set<std::string> scripts;
  for (const std::string& name : names) scripts.insert(name + ".gp");
  CHECK(std::set(called.begin(), called.end()) == scripts);
}

TEST_CASE("reproduce answers wrong usage with 2, a missing text with 1, and one line") {
  const Reproduction place;
  check_refused(place.reproduce("--seeds 0"), 2, {"--seeds", "0"});
  check_refused(place.reproduce("--full --quick"), 2, {"--full", "--quick"});
  check_refused(place.reproduce("--steps 3"), 2, {"--steps"});
  check_refused(place.reproduce("--quick --data nothing.txt"), 1, {"nothing.txt"});
}

TEST_CASE("A model's attention weights are the softmax of its classical scores, by hand") {
  ModelSettings settings;
  settings.vocabulary_size = 5;
  settings.n_layer = 2;
  settings.n_head = 2;
  settings.n_embd = 4;
  settings.attention = "csa";
  const GPT model(settings, 3);
  const std::vector<std::int32_t> tokens = {1, 4, 2};
  const auto part = [&](const std::string& name) { return model.parameters().part(model.parameters().values(), name); };
  const Tensor token = part("embedding.weight"), position = part("positional_embedding_table.weight");

  std::vector<std::vector<double>> x;  // after layer norm, whose weight is 1 and bias 0 at the start
  for (Index t = 0; t < 3; ++t) {
    std::vector<double> row;
    double mean = 0, variance = 0;
    for (Index c = 0; c < 4; ++c) {
      row.push_back(static_cast<double>(token[tokens[static_cast<std::size_t>(t)] * 4 + c] + position[t * 4 + c]));
      mean += row.back() / 4;
    }
    for (const double value : row) variance += (value - mean) * (value - mean) / 4;
    for (double& value : row) value = (value - mean) / std::sqrt(variance + 1e-5);
    x.push_back(row);
  }
  Pass pass(model.parameters());
  const Tensor weights = model.attention_weights(pass, tokens, 1, 0);
  REQUIRE(weights.shape() == Shape{1, 2, 3, 3});
  for (Index head = 0; head < 2; ++head) {
    const std::string prefix = "blocks.0.mhsa.heads." + std::to_string(head);
    const Tensor query = part(prefix + ".query.weight"), key = part(prefix + ".key.weight");
    const auto projected = [&](const Tensor& matrix, Index t, Index row) {
      double sum = 0;
      for (Index c = 0; c < 4; ++c) {
        sum += static_cast<double>(matrix[row * 4 + c]) * x[static_cast<std::size_t>(t)][static_cast<std::size_t>(c)];
      }
      return sum;
    };
    for (Index i = 0; i < 3; ++i) {
      std::vector<double> scores;
      double total = 0;
      for (Index j = 0; j <= i; ++j) {
        double dot = 0;
        for (Index row = 0; row < 2; ++row) dot += projected(query, i, row) * projected(key, j, row);
        total += scores.emplace_back(std::exp(dot / 2));
      }
      for (Index j = 0; j < 3; ++j) {
        CAPTURE(head, i, j);
        const double expected = j <= i ? scores[static_cast<std::size_t>(j)] / total : 0;
        CHECK(static_cast<double>(weights[(head * 3 + i) * 3 + j]) == Approx(expected).margin(1e-5));
      }
    }
  }
  check_error(error_of([&] { model.attention_weights(pass, tokens, 1, 2); }), "layer 2 of a model of 2 layers");
}

}  // namespace reproduce_test
