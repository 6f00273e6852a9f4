// Checkpoints of an earlier version: tests/last_version/MECHANISM holds the checkpoint of a run after 6 of 12 steps,
// the text that its program wrote with it (sample.txt), what it found about it (evaluate.json), and the log of all 12
// steps. Today's programs load the checkpoint, sample, evaluate and go on with the same results.
#include <nlohmann/json.hpp>

#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace last_version_test {

const fs::path folder = QISA_SOURCE_DIR "/tests/last_version";

/// A number of each line of a log that has it.
std::vector<double> numbers(const std::string& log, const char* name) {
  std::vector<double> result;
  for (const std::string& line : lines_of(log)) {
    const auto json = nlohmann::json::parse(line);
    if (json.contains(name) && json.at(name).is_number()) result.push_back(json.at(name));
  }
  return result;
}

TEST_CASE("A run of the last version goes on, and its checkpoint is sampled and evaluated, with the same results") {
  const std::string mechanism = GENERATE("csa", "qisa", "qisa-v1", "qisa-v2", "qisa-v3");
  CAPTURE(mechanism);
  const Workplace place;
  fs::copy(folder / mechanism, place.path / mechanism);
  const std::string expected_log = place.read(mechanism + "/log.jsonl"), checkpoint = mechanism + "/latest.safetensors";

  const Outcome sample = place.sample({"--checkpoint", checkpoint, "--max_new_tokens=60", "--start=SCENE: "});
  require_written(sample);
  CHECK(sample.out == place.read(mechanism + "/sample.txt"));

  const Outcome evaluate = place.evaluate({"--checkpoint", checkpoint, "--data=builtin", "--windows=20", "--json"});
  require_success(evaluate);
  const auto found = nlohmann::json::parse(evaluate.out);
  const auto expected = nlohmann::json::parse(place.read(mechanism + "/evaluate.json"));
  for (const auto& [name, value] : expected.at("settings").items()) CHECK(found.at("settings").at(name) == value);
  CHECK(found.at("loss").get<double>() == Approx(expected.at("loss").get<double>()).epsilon(1e-5));

  require_success(place.train({"--resume", mechanism}));
  const std::string log = place.read(mechanism + "/log.jsonl");
  for (const char* name : {"loss", "val_loss"}) {
    CAPTURE(name);
    std::vector<double> losses = numbers(log, name);
    const std::vector<double> expected_losses = numbers(expected_log, name);
    if (name == std::string("val_loss")) losses.push_back(numbers(log, "full_val_loss").at(0));  // then of one name
    REQUIRE(losses.size() == expected_losses.size());
    for (std::size_t i = 0; i < losses.size(); ++i) CHECK(losses[i] == Approx(expected_losses[i]).epsilon(1e-5));
  }
}

}  // namespace last_version_test
