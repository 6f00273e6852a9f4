// train where it cannot go on: numbers that are no numbers, folders that cannot be written or vanish, memory
// that is not there, another trainer. Each is one line, and the last good checkpoint stays.
#include <chrono>
#include <cmath>
#include <csignal>
#include <functional>
#include <thread>

#include "apps/shared/memory.hpp"
#include "nn/files/checkpoint.hpp"
#include "nn/text/utf8.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace limits_test {

/// A run of 20 steps in out/.
struct Finished : Workplace {
  explicit Finished(const std::string& text = verse()) : Workplace(text) {
    require_success(train_tiny({{"out_dir", "out"}}));
    latest = read("out/latest.safetensors");
  }

  /// Changes what the latest checkpoint of out/ holds.
  void change(const std::function<void(Checkpoint&)>& change) {
    Checkpoint checkpoint = load_checkpoint(path / "out/latest.safetensors");
    change(checkpoint);
    save_checkpoint(path / "out/latest.safetensors", checkpoint.model, checkpoint.tokenizer, &*checkpoint.training);
    latest = read("out/latest.safetensors");
  }

  Outcome resume(Options options, const Surroundings& around = {}) const {
    options.merge(Options{{"max_iters", "40"}, {"log_interval", "1000"}});
    Arguments arguments = as_arguments(options);
    arguments.insert(arguments.begin(), {"--resume", "out"});
    return train(arguments, around);
  }

  std::string latest;
};

/// Checks for one error line, after a beginning that may have been shown.
void check_stopped(const Outcome& outcome, const std::vector<std::string>& pieces) {
  check_refused({outcome.exit_code, "", outcome.err}, 1, pieces);
}

/// Waits until a file is there.
void wait_for(const fs::path& path) {
  for (int tries = 0; !fs::exists(path); ++tries) {
    REQUIRE(tries < 60'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// A run in out/ that saves all the time and does not end by itself.
const Options endless = {{"out_dir", "out"}, {"max_iters", "1000000000"}, {"eval_interval", "1"}, {"eval_iters", "1"}};

TEST_CASE("A loss that is no number stops the run, names the step, and the last checkpoint stays") {
  Finished place;
  // Finite moments, but such that the next update makes the weights infinite.
  place.change([](Checkpoint& checkpoint) {
    checkpoint.training->first_moment.fill(Real(1e30));
    checkpoint.training->second_moment.fill(0);
  });
  check_stopped(place.resume({}), {"step 22: the loss is ", "nan"});
  check_stopped(place.resume({{"eval_interval", "1"}}), {"step 21: the validation loss is ", "nan"});
  CHECK((place.read("out/latest.safetensors") == place.latest));
  CHECK(timeless(place.read("out/log.jsonl")).size() == 1);  // the first line, of settings
}

TEST_CASE("Weights that are no numbers are not saved, even if the loss does not show them") {
  Finished place("@" + Workplace::verse());
  // The row of a character that no window of the next steps and of the validation text has.
  place.change([](Checkpoint& checkpoint) {
    const Parameters& parameters = checkpoint.model.parameters();
    const std::int32_t token = checkpoint.tokenizer.encode("@").front();
    Tensor& first = checkpoint.training->first_moment;
    parameters.part(first, "embedding.weight")[token * 8] = Real(1e38);
    parameters.part(checkpoint.training->second_moment, "embedding.weight")[token * 8] = 0;
  });
  const std::string best = place.read("out/best.safetensors");
  check_stopped(place.resume({{"eval_interval", "1"}}), {"step 21", "not finite", "out/"});
  CHECK((place.read("out/latest.safetensors") == place.latest));
  CHECK((place.read("out/best.safetensors") == best));
}

TEST_CASE("A folder or file that cannot be written is refused before the first step") {
  const Finished place;
  fs::create_directories(place.path / "odd/latest.safetensors");
  fs::create_directories(place.path / "odder/log.jsonl");
  fs::create_directories(place.path / "locked");
  fs::permissions(place.path / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  Surroundings around;
  around.bound_by_permissions = true;
  const auto overwritten = [&](const std::string& folder) {
    return place.train_tiny({{"out_dir", folder}, {"overwrite", "true"}});
  };
  check_refused(overwritten("odd"), 1, {"odd/latest.safetensors", "a folder"});
  check_refused(overwritten("odder"), 1, {"odder/log.jsonl", "a folder"});
  check_refused(place.train_tiny({{"out_dir", "locked"}}, around), 1, {"locked/config.toml", "Permission denied"});
  check_refused(place.train_tiny({{"out_dir", "locked/run"}}, around), 1, {"locked/run", "Permission denied"});
  fs::permissions(place.path / "out", fs::perms::owner_read | fs::perms::owner_exec);
  check_refused(place.resume({}, around), 1, {"out/config.toml", "Permission denied"});
  fs::permissions(place.path / "locked", fs::perms::owner_all);
  fs::permissions(place.path / "out", fs::perms::owner_all);
  CHECK((place.read("out/latest.safetensors") == place.latest));
  CHECK(fs::is_empty(place.path / "locked"));
}

TEST_CASE("A folder that vanishes or is locked while a run saves into it ends the run") {
  const bool vanishes = GENERATE(true, false);
  CAPTURE(vanishes);
  const Workplace place;
  Surroundings around;
  around.bound_by_permissions = true;
  Process process = place.start_train(Workplace::tiny(endless), around);
  wait_for(place.path / "out/latest.safetensors");
  if (vanishes) {
    fs::rename(place.path / "out", place.path / "elsewhere");
  } else {
    fs::permissions(place.path / "out", fs::perms::owner_read | fs::perms::owner_exec);
  }
  CHECK(process.wait() == 1);
  const std::string last = lines_of(place.read("output.txt")).back();
  CAPTURE(last);
  CHECK(last.starts_with("error: cannot write out/"));
  CHECK(last.find(vanishes ? "No such file or directory" : "Permission denied") != std::string::npos);
  if (!vanishes) fs::permissions(place.path / "out", fs::perms::owner_all);
  CHECK_NOTHROW(load_checkpoint(place.path / (vanishes ? "elsewhere" : "out") / "latest.safetensors"));
}

TEST_CASE("A second trainer in a folder is refused, and the first goes on") {
  const Workplace place;
  Process first = place.start_train(Workplace::tiny(endless));
  wait_for(place.path / "out/latest.safetensors");
  check_refused(place.train_tiny({{"out_dir", "out"}}), 1, {"out", "another process trains in this folder"});
  check_refused(place.train({"--resume", "out"}), 1, {"out", "another process trains in this folder"});
  first.send(SIGTERM);
  CHECK(first.wait() == 143);
  CHECK_NOTHROW(load_checkpoint(place.path / "out/latest.safetensors"));
}

TEST_CASE("Sizes that no memory holds are refused with the need and with what there is, and nothing is begun") {
  const Workplace place;
  const std::vector<Options> cases = {{{"n_embd", "65536"}, {"n_layer", "1000"}},
                                      {{"n_embd", "65536"}, {"n_layer", "200"}, {"attention", "csa"}},
                                      {{"block_size", "1048576"}, {"n_head", "8"}},
                                      {{"n_embd", "4096"}, {"n_layer", "500"}, {"threads", "1024"}}};
  for (const Options& options : cases) {
    CAPTURE(as_arguments(options));
    check_refused(place.train_tiny(options), 1, {"training needs about", "B of memory", "B is available"});
  }
  CHECK(place.names() == std::set<std::string>{"text.txt"});
}

#ifndef QISA_SANITIZED
TEST_CASE("The memory that training is said to need is about what it takes") {
  std::string verses;
  for (int i = 0; i < 8; ++i) verses += Workplace::verse();
  const Workplace place(verses);
  const double program = place.train_tiny({{"out_dir", "out"}, {"max_iters", "1"}}).peak_memory;
  const std::vector<Options> cases = {
      {{"n_embd", "256"}, {"n_layer", "4"}, {"block_size", "64"}, {"threads", "2"}},
      {{"n_embd", "64"}, {"n_layer", "2"}, {"n_head", "8"}, {"block_size", "1024"}, {"batch_size", "2"}},
      {{"n_embd", "512"}, {"n_layer", "1"}, {"block_size", "16"}, {"batch_size", "1"}}};
  for (Options options : cases) {
    CAPTURE(as_arguments(options));
    options.merge(Options{{"attention", "csa"}, {"max_iters", "1"}, {"out_dir", "out"}, {"batch_size", "16"}});
    options["overwrite"] = "true";
    options.merge(Options{{"threads", "1"}, {"n_head", "1"}});
    const Outcome outcome = place.train_tiny(options);
    require_success(outcome);
    const ModelSettings settings = load_checkpoint(place.path / "out/latest.safetensors").model.settings();
    const double need =
        memory_need(settings, std::stoll(options.at("batch_size")), std::stoi(options.at("threads")), 0).total();
    const double taken = outcome.peak_memory - program;
    CAPTURE(bytes_text(need), bytes_text(taken));
    CHECK(taken < 1.2 * need);
    CHECK(taken > 0.4 * need);
  }
}
#endif

TEST_CASE("The place where a text stops being UTF-8 is named by its byte") {
  const Workplace place;
  const std::string start(200, 'a');
  place.write("latin1.txt", start + "caf\xe9 " + start);
  place.write("cut.txt", start + "漢字\xe6\xbc");
  place.write("surrogate.txt", start + "\xed\xa0\x80");
  for (const auto& [name, byte] :
       std::map<std::string, std::string>{{"latin1.txt", "203"}, {"cut.txt", "206"}, {"surrogate.txt", "200"}}) {
    check_refused(place.train_tiny({{"data", name}}), 1, {name, "UTF-8", "at byte " + byte});
  }
}

}  // namespace limits_test
