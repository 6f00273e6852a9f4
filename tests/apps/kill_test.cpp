// train killed at random instants: whatever is on the disk then is whole, and a run that is resumed after
// every kill ends with the bytes of one that ran through.
//
// The environment variable QISA_KILLS says how many kills; `make soak` asks for more than the tests.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "nn/files/checkpoint.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace kill_test {

constexpr Index steps = 60;

int wanted_kills() {
  const char* given = std::getenv("QISA_KILLS");
  return given ? std::atoi(given) : 200;
}

/// Where the kills hit.
struct Tally {
  int kills = 0, before_the_first_checkpoint = 0, under_way = 0, within_a_save = 0, ahead_of_latest = 0,
      with_progress = 0;
};

/// The step of a run's latest checkpoint, after a look at everything in its folder: every checkpoint is whole,
/// and so is every line of the log but perhaps the last.
Index inspect(const Workplace& place, Tally& tally) {
  Index latest = 0, farthest = 0;
  bool temporary = false;
  for (const auto& entry : fs::directory_iterator(place.path / "out")) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    temporary = temporary || name.ends_with(".tmp");
    if (!name.ends_with(".safetensors")) continue;
    const Checkpoint checkpoint = load_checkpoint(entry.path());
    REQUIRE(checkpoint.training.has_value());
    const Index step = checkpoint.training->steps;
    farthest = std::max(farthest, step);
    if (name == "latest.safetensors") latest = step;
    if (name.starts_with("step-")) REQUIRE(std::stoll(name.substr(5)) == step);
  }
  if (fs::exists(place.path / "out/log.jsonl")) {
    const std::vector<std::string> log = lines_of(place.read("out/log.jsonl"));
    for (std::size_t i = 0; i + 1 < log.size(); ++i) REQUIRE(nlohmann::json::accept(log[i]));
  }
  tally.within_a_save += temporary;
  tally.ahead_of_latest += farthest > latest;
  tally.under_way += latest > 0 && latest < steps;
  return latest;
}

std::map<std::string, std::string> checkpoints_in(const Workplace& place, const std::string& folder) {
  std::map<std::string, std::string> content;
  for (const auto& entry : fs::directory_iterator(place.path / folder)) {
    const std::string name = entry.path().filename().string();
    if (name != "log.jsonl" && name != "config.toml") content[name] = place.read(folder + "/" + name);
  }
  return content;
}

/// Starts or resumes the run in out/ until it has ended. As long as kills are wanted, it is killed at most `longest`
/// milliseconds after its first word, or in one of four lives after its start. `longest` adapts itself: about every
/// other life gets a checkpoint further.
void live_through(const Workplace& place, const Options& options, double& longest, std::mt19937_64& random,
                  Tally& tally) {
  Index latest = 0;
  for (bool ended = false; !ended;) {
    const bool begun = fs::exists(place.path / "out/config.toml");
    const std::string threads = std::to_string(1 + random() % 2);
    Options fresh = options;
    fresh["threads"] = threads;
    Process process =
        place.start_train(begun ? Arguments{"--resume", "out", "--threads", threads} : Workplace::tiny(fresh));
    const bool kills = tally.kills < wanted_kills();
    if (kills) {
      const double most = begun ? longest : longest / 2;  // so that some do not get to a checkpoint
      for (int tries = random() % 4 == 0 ? 60'000 : 0; tries < 60'000 && place.read("output.txt").empty(); ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      const double instant = std::uniform_real_distribution(0.0, most)(random);
      std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(instant));
      process.send(SIGKILL);
    }
    const int exit_code = process.wait();
    const std::string output = place.read("output.txt");
    INFO(output);
    // A kill after the last line of the log, but before the program's end: the next life finds a run that has ended.
    ended = exit_code == 0 || (exit_code == 1 && output.find("this run has done its") != std::string::npos);
    if (ended) break;
    REQUIRE(kills);
    REQUIRE(exit_code == 128 + SIGKILL);
    ++tally.kills;
    const Index before = latest;
    if (fs::exists(place.path / "out")) latest = inspect(place, tally);
    tally.before_the_first_checkpoint += latest == 0;
    REQUIRE(latest >= before);
    tally.with_progress += latest > before;
    longest *= latest > before ? 0.9 : 1.1;
  }
}

TEST_CASE("A run that is killed at random instants and resumed ends with the bytes of one that ran through",
          "[alone]") {
  std::mt19937_64 random(1);
  Tally tally;
  double longest = 0;  // of a life, in milliseconds
  for (int run = 0; tally.kills < wanted_kills(); ++run) {
    const Workplace place(Workplace::verse(), fast_folder());
    Options options = {{"attention", run % 2 == 0 ? "qisa-v3" : "csa"},
                       {"keep", std::to_string(run % 3)},
                       {"max_iters", std::to_string(steps)},
                       {"eval_interval", run % 2 == 0 ? "3" : "7"},
                       {"log_interval", "2"},
                       {"dropout", "0.1"},
                       {"seed", std::to_string(run)}};
    CAPTURE(run, tally.kills);
    options["out_dir"] = "through";
    const auto begun = std::chrono::steady_clock::now();
    require_success(place.train_tiny(options));
    const std::chrono::duration<double, std::milli> through = std::chrono::steady_clock::now() - begun;
    if (run == 0) longest = through.count() / 2;
    options["out_dir"] = "out";
    live_through(place, options, longest, random, tally);
    CHECK((checkpoints_in(place, "out") == checkpoints_in(place, "through")));
    CHECK(timeless(place.read("out/log.jsonl")) == timeless(place.read("through/log.jsonl")));
  }
  WARN("kills " << tally.kills << ", before the first checkpoint " << tally.before_the_first_checkpoint
                << ", under way " << tally.under_way << ", within a save " << tally.within_a_save
                << ", between two files of a step " << tally.ahead_of_latest << ", lives with progress "
                << tally.with_progress);
  CHECK(tally.kills == wanted_kills());
  CHECK(tally.before_the_first_checkpoint > 0);
  CHECK(tally.under_way > wanted_kills() / 8);
  CHECK(tally.with_progress > wanted_kills() / 8);
  CHECK(tally.within_a_save + tally.ahead_of_latest >= wanted_kills() / 50);
}

}  // namespace kill_test
