// train --resume: a run that is stopped anywhere and resumed is the run that never stopped; and what would
// make it another run is refused.
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>

#include "nn/files/checkpoint.hpp"
#include "nn/training/trainer.hpp"
#include "tests/apps/option_values.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace resume_test {

/// Checks that two runs have left the same: checkpoints to the byte, the log line for line.
void check_same(const Workplace& place, const std::string& one, const std::string& other) {
  for (const char* name : {"latest.safetensors", "best.safetensors"}) {
    CAPTURE(name);
    CHECK((place.read(one + "/" + name) == place.read(other + "/" + name)));
  }
  CHECK(timeless(place.read(one + "/log.jsonl")) == timeless(place.read(other + "/log.jsonl")));
}

std::string checkpoint_and_options(const Workplace& place, const std::string& folder) {
  return place.read(folder + "/latest.safetensors") + place.read(folder + "/config.toml");
}

/// A run of 20 steps in out/ that another text and some options belong to.
struct Finished : Workplace {
  Finished() {
    write("other.txt", Workplace::verse());
    require_success(train_tiny({{"out_dir", "out"}, {"eval_interval", "5"}}));
  }
};

TEST_CASE("N steps and then M are N + M steps, with every mechanism, dropout and other numbers of threads") {
  REQUIRE(shard(130, 8).shards > 2);  // a batch is shared out
  for (const MechanismEntry& mechanism : mechanisms()) {
    CAPTURE(mechanism.name);
    const Workplace place;
    Options run = {{"attention", mechanism.name}, {"batch_size", "130"},    {"dropout", "0.2"},
                   {"log_interval", "2"},         {"eval_interval", "4"},   {"eval_iters", "1"},
                   {"max_iters", "11"},           {"lr_decay_iters", "11"}, {"learning_rate", "0.02"},
                   {"out_dir", "through"},        {"warmup_iters", "3"},    {"keep", "1"}};
    require_success(place.train_tiny(run));
    run["out_dir"] = "parts";
    run["max_iters"] = "6";  // not at an evaluation
    run["threads"] = "2";
    require_success(place.train_tiny(run));
    CHECK((place.read("parts/latest.safetensors") != place.read("through/latest.safetensors")));
    require_success(place.train({"--resume", "parts", "--max_iters=9", "--threads=3"}));
    require_success(place.train({"--resume", "parts", "--max_iters=11", "--threads=1"}));
    check_same(place, "parts", "through");
  }
}

TEST_CASE("A run that was stopped by a signal and resumed ends with the bytes of one that ran through") {
  const Workplace place;
  const Options run = {{"dropout", "0.2"}, {"max_iters", "8000"}, {"eval_interval", "2000"}, {"log_interval", "100"}};
  Options through = run, stopped = run;
  through["out_dir"] = "through";
  stopped["out_dir"] = "stopped";
  require_success(place.train_tiny(through));
  Surroundings around;
  around.signal = SIGINT;
  around.signal_after = "step ";
  REQUIRE(place.train_tiny(stopped, around).exit_code == 130);
  CHECK((place.read("stopped/latest.safetensors") != place.read("through/latest.safetensors")));
  require_success(place.train({"--resume", "stopped"}));
  check_same(place, "stopped", "through");
}

TEST_CASE("A run whose latest checkpoint is lost, or was never written, is resumed from what there is") {
  const Workplace place;
  const Options run = {{"max_iters", "12"}, {"eval_interval", "4"}, {"log_interval", "3"}, {"lr_decay_iters", "20"}};
  for (const std::string keep : {"0", "2"}) {
    CAPTURE(keep);
    Options options = run;
    options["keep"] = keep;
    options["out_dir"] = "out" + keep;
    require_success(place.train_tiny(options));
    fs::copy(place.path / options["out_dir"], place.path / "none");
    fs::copy(place.path / options["out_dir"], place.path / "lost");
    fs::remove(place.path / "lost/latest.safetensors");
    const Outcome outcome = place.train({"--resume", "lost", "--max_iters=20"});
    require_success(outcome);
    const Checkpoint best = load_checkpoint(place.path / options["out_dir"] / "best.safetensors");
    const Index from = keep == "0" ? best.training->steps : 12;
    CHECK(outcome.out.find("after step " + std::to_string(from)) != std::string::npos);
    for (const auto& entry : fs::directory_iterator(place.path / "none")) {
      if (entry.path().extension() == ".safetensors") fs::remove(entry.path());
    }
    require_success(place.train({"--resume", "none", "--max_iters=20"}));
    require_success(place.train({"--resume", options["out_dir"], "--max_iters=20"}));
    check_same(place, "lost", options["out_dir"]);
    check_same(place, "none", options["out_dir"]);
    fs::remove_all(place.path / "lost");
    fs::remove_all(place.path / "none");
  }
}

TEST_CASE("Without a folder, --resume takes the run that was begun or saved last") {
  const Workplace place;
  for (const char* folder : {"runs/a", "runs/b"}) require_success(place.train_tiny({{"out_dir", folder}}));
  const auto age = [&](const std::string& name, int seconds) {
    fs::last_write_time(place.path / "runs" / name, fs::file_time_type::clock::now() - std::chrono::seconds(seconds));
  };
  age("a/latest.safetensors", 20), age("a/config.toml", 40), age("b/latest.safetensors", 30), age("b/config.toml", 30);
  const auto resumed = [&](const std::string& steps) {
    const Outcome outcome = place.train({"--resume", "--max_iters", steps});
    require_success(outcome);
    return outcome.out.find("runs/a") != std::string::npos ? "a" : "b";
  };
  CHECK(resumed("21") == std::string("a"));
  age("a/latest.safetensors", 20), age("a/config.toml", 20);
  fs::remove(place.path / "runs/b/latest.safetensors");  // stopped before its first checkpoint,
  age("b/config.toml", 10);                              // but begun last
  CHECK(resumed("22") == std::string("b"));
}

TEST_CASE("keep says how many numbered checkpoints stay, the newest, also over a resumption") {
  const Workplace place;
  const auto numbered = [&](const std::string& folder) {
    std::vector<Index> steps;
    for (const auto& entry : fs::directory_iterator(place.path / folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("step-")) continue;
      steps.push_back(load_checkpoint(entry.path()).training->steps);
      CHECK(std::stoll(name.substr(5)) == steps.back());
    }
    std::sort(steps.begin(), steps.end());
    return steps;
  };
  const Options run = {{"eval_interval", "3"}, {"lr_decay_iters", "40"}};
  const auto trained = [&](const std::string& keep) {
    Options options = run;
    options["keep"] = keep;
    options["out_dir"] = "out" + keep;
    require_success(place.train_tiny(options));
    return numbered(options["out_dir"]);
  };
  CHECK(trained("0") == std::vector<Index>{});
  CHECK(trained("1") == std::vector<Index>{18});
  CHECK(trained("2") == std::vector<Index>{15, 18});
  CHECK(trained("9") == std::vector<Index>{3, 6, 9, 12, 15, 18});
  const Outcome sample = place.sample({"--checkpoint", "out2/step-000015.safetensors", "--max_new_tokens=5"});
  require_written(sample);

  require_success(place.train({"--resume", "out2", "--max_iters=22"}));
  CHECK(numbered("out2") == std::vector<Index>{18, 21});
  require_success(place.train({"--resume", "out9", "--max_iters=22", "--keep=3"}));
  CHECK(numbered("out9") == std::vector<Index>{15, 18, 21});
  require_success(  // a new run
      place.train_tiny({{"out_dir", "out9"}, {"overwrite", "true"}, {"eval_interval", "10"}, {"keep", "1"}}));
  CHECK(numbered("out9") == std::vector<Index>{20});
  check_refused(place.train_tiny({{"keep", "-1"}}), 1, {"keep", "-1"});
}

TEST_CASE("What cannot be resumed is refused, and the run stays as it was") {
  const Finished place;
  fs::create_directory(place.path / "empty");
  const std::string before = checkpoint_and_options(place, "out");
  check_refused(place.train({"--resume"}), 1, {"runs/"});
  check_refused(place.train({"--resume", "no-such-run"}), 1, {"no-such-run"});
  check_refused(place.train({"--resume", "empty"}), 1, {"empty"});
  check_refused(place.train({"--resume", "text.txt"}), 1, {"text.txt"});
  check_refused(place.train({"--resume", "out"}), 1, {"out", "20", "--max_iters"});
  check_refused(place.train({"--resume", "out", "--max_iters=15"}), 1, {"out", "20", "--max_iters"});
  place.write("text.txt", "Another text. " + Workplace::verse());
  check_refused(place.train({"--resume", "out", "--max_iters=30"}), 1,
                {"out: text.txt is not the text that this run was begun with;", "--data", "--init_from out"});
  check_refused(place.train({"--resume", "out", "--max_iters=30", "--data", "builtin"}), 1,
                {"out: builtin is not the text that this run was begun with, text.txt; give that one by --data"});
  CHECK((checkpoint_and_options(place, "out") == before));
}

TEST_CASE("A setting that would make a resumed run another one is refused by name, whatever its folder holds") {
  const Finished place;
  const std::string before = checkpoint_and_options(place, "out");
  fs::copy(place.path / "out", place.path / "new");  // stopped before its first checkpoint
  for (const char* name : {"latest.safetensors", "best.safetensors"}) fs::remove(place.path / "new" / name);
  Options other = model_options;
  other.insert(training_options.begin(), training_options.end());
  for (const char* name : {"max_iters", "lr_decay_iters"}) other.erase(name);
  for (const auto& [name, value] : other) {
    for (const std::string folder : {"out", "new"}) {
      CAPTURE(folder, name);
      const Outcome outcome = place.train({"--resume", folder, "--max_iters=30", "--" + name + "=" + value});
      check_refused(outcome, 1, {folder, name + " = ", value, "must keep it"});
    }
  }
  CHECK((checkpoint_and_options(place, "out") == before));
}

TEST_CASE("A run that is resumed with more steps keeps its schedule, and says so") {
  const Workplace place;
  require_success(place.train_tiny({{"out_dir", "out"}, {"warmup_iters", "2"}, {"log_interval", "5"}}));
  fs::copy(place.path / "out", place.path / "longer");
  fs::copy(place.path / "out", place.path / "anew");
  const auto rate = [&](const std::string& folder) {  // of step 40
    for (const std::string& line : lines_of(place.read(folder + "/log.jsonl"))) {
      const nlohmann::json entry = nlohmann::json::parse(line);
      if (entry.at("step") == 40 && entry.contains("learning_rate")) return entry.at("learning_rate").get<double>();
    }
    FAIL("no step 40");
    return 0.0;
  };
  const Outcome kept = place.train({"--resume", "out", "--max_iters=40"});
  require_success(kept);
  CHECK(kept.out.find("0.0003 from step 20 on; --lr_decay_iters 40 spreads") != std::string::npos);
  CHECK(rate("out") == Approx(0.0003));
  CHECK(place.read("out/config.toml").find("lr_decay_iters = 20\n") != std::string::npos);
  const Outcome more = place.train({"--resume", "out", "--max_iters=45"});  // and again
  require_success(more);
  CHECK(more.out.find("0.0003 from step 20 on; --lr_decay_iters 45") != std::string::npos);

  const Outcome longer = place.train({"--resume", "longer", "--max_iters=40", "--lr_decay_iters=-1"});
  require_success(longer);
  CHECK(longer.out.find("learning rate goes on") == std::string::npos);
  require_success(place.train({"--resume", "anew", "--max_iters=40", "--lr_decay_iters=60"}));
  CHECK(rate("longer") < rate("anew"));
}

TEST_CASE("The log's elapsed time goes on where the run was stopped") {
  const Finished place;
  std::string log = place.read("out/log.jsonl");
  const std::string last = lines_of(log).at(4);  // of step 20
  nlohmann::ordered_json changed = nlohmann::ordered_json::parse(last);
  REQUIRE(changed.at("step") == 20);
  changed["elapsed_s"] = 5000;
  log.replace(log.find(last), last.size(), changed.dump());
  place.write("out/log.jsonl", log);
  const Outcome outcome = place.train({"--resume", "out", "--max_iters=30"});
  require_success(outcome);
  for (const std::size_t line : {5, 6, 7}) {  // steps 25 and 30, and the end
    CHECK(nlohmann::json::parse(lines_of(place.read("out/log.jsonl")).at(line)).at("elapsed_s") >= 5000);
  }
}

TEST_CASE("What a resumed run may change is in the help, and it may") {
  const Finished place;
  const std::string help = place.train({"--help"}).out;
  const std::size_t resume = help.find("--resume");
  const std::string told = help.substr(resume, help.find("\n  --", resume) - resume);
  Options changes = other_options;
  changes["max_iters"] = "99";
  changes["lr_decay_iters"] = "30";
  changes.erase("out_dir");  // is --resume's own
  int steps = 20;
  for (const auto& [name, value] : changes) {
    CAPTURE(name, told);
    CHECK(told.find(name) != std::string::npos);
    Arguments arguments = {"--resume", "out", "--" + name + "=" + value};
    if (name == "max_iters") arguments.back() = "--max_iters=" + std::to_string(steps + 1);
    if (name != "max_iters") arguments.push_back("--max_iters=" + std::to_string(steps + 1));
    require_success(place.train(arguments));
    ++steps;
  }
}

}  // namespace resume_test
