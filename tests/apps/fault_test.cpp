// train on a disk that fails: each system call that writes a file of the run fails in turn. Whatever fails, the
// program ends with one line and leaves whole checkpoints, no temporary file, and a run that goes on.
//
// The calls are made to fail by a library that is loaded before the system's: faults/faulty_calls.cpp.
#include <sys/resource.h>

#include <cerrno>
#include <csignal>

#include "nn/files/checkpoint.hpp"
#include "tests/apps/pattern.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace fault_test {

using Content = std::map<std::string, std::string>;

Content content_of(const Workplace& place, const std::string& folder) {
  Content content;
  for (const auto& entry : fs::directory_iterator(place.path / folder)) {
    const std::string name = entry.path().filename().string();
    content[name] = place.read(folder + "/" + name);
  }
  return content;
}

/// A run in before/ that was stopped after its first checkpoints, and in after/ the same run brought to its end.
struct Stopped : Workplace {
  Content before, after;

  Stopped() : Workplace(verse(), fast_folder()) {
    const Options run = {
        {"attention", "csa"}, {"keep", "1"}, {"eval_interval", "2"}, {"log_interval", "1"}, {"lr_decay_iters", "4"}};
    Options first = run;
    first["max_iters"] = "2";
    first["out_dir"] = "before";
    require_success(train_tiny(first));
    fs::copy(path / "before", path / "after");
    require_success(train({"--resume", "after", "--max_iters=4"}));
    before = content_of(*this, "before");
    after = content_of(*this, "after");
  }

  /// A fresh copy of the stopped run, in out/, goes on with a fault at a call; what was that call, or nothing if
  /// there is none of this number.
  std::pair<Outcome, std::string> resume(const std::string& fault, int call) const {
    fs::remove_all(path / "out");
    fs::remove(path / "report.txt");
    fs::copy(path / "before", path / "out");
    Surroundings around;
    around.environment = {{"LD_PRELOAD", QISA_FAULTY_CALLS},
                          {"ASAN_OPTIONS", "verify_asan_link_order=0"},
                          {"QISA_FAULT_FOLDER", "out"},
                          {"QISA_FAULT_CALL", std::to_string(call)},
                          {"QISA_FAULT", fault},
                          {"QISA_FAULT_REPORT", "report.txt"}};
    const Outcome outcome = train({"--resume", "out", "--max_iters=4"}, around);
    return {outcome, fs::exists(path / "report.txt") ? read("report.txt") : ""};
  }

  /// Checks that out/ holds whole files only: of each checkpoint the old content or the new, and the whole log.
  void check_whole(bool killed = false) const {
    for (const auto& [name, bytes] : content_of(*this, "out")) {
      CAPTURE(name);
      if (killed && name.ends_with(".tmp")) continue;
      if (name.ends_with(".safetensors")) {
        const bool old = before.contains(name) && before.at(name) == bytes;
        CHECK((old || bytes == after.at(name)));
      } else if (name == "log.jsonl") {
        CHECK_NOTHROW(timeless(bytes));
      } else {
        CHECK(name == "config.toml");
      }
    }
    CHECK(fs::exists(path / "out/latest.safetensors"));
    CHECK(fs::exists(path / "out/config.toml"));
  }

  /// Checks that the run in out/ has the content of the one that had no fault.
  void check_ended() const {
    Content content = content_of(*this, "out");
    CHECK(timeless(content.at("log.jsonl")) == timeless(after.at("log.jsonl")));
    content["log.jsonl"] = after.at("log.jsonl");
    content["config.toml"] = after.at("config.toml");  // names the folder
    CHECK((content == after));
  }
};

/// A report without the names of the folder and of temporary files: "write latest.safetensors.tmp".
std::string kind_of(const std::string& report) {
  return Pattern("out/|\n").replace(Pattern("\\.[0-9]+-[0-9]+\\.tmp").replace(report, ".tmp"), "");
}

void check_failed(const Outcome& outcome, const std::string& piece) {
  INFO("stderr: " << outcome.err);
  CHECK(outcome.exit_code == 1);
  CHECK(lines_of(outcome.err).size() == 1);
  CHECK(outcome.err.starts_with("error: "));
  CHECK(outcome.err.find("out") != std::string::npos);
  CHECK(outcome.err.find(piece) != std::string::npos);
}

TEST_CASE("Whichever system call of a save fails, the last checkpoint stays, and one line says what failed") {
  const Stopped place;
  std::set<std::string> failed;
  for (int call = 1;; ++call) {
    const auto [outcome, report] = place.resume(std::to_string(call % 2 == 0 ? ENOSPC : EIO), call);
    CAPTURE(call, report, outcome.err);
    if (report.empty()) {
      require_success(outcome);  // there are no more calls
      place.check_ended();
      break;
    }
    failed.insert(kind_of(report));
    if (outcome.exit_code != 0) {
      check_failed(outcome, call % 2 == 0 ? "No space left on device" : "Input/output error");
    } else {
      CHECK(report.starts_with("close out"));  // of a folder, or at the program's end, where nothing is to be saved
      CHECK(report.find(".tmp") == std::string::npos);
    }
    place.check_whole();
    REQUIRE(call < 1000);
  }
  for (const std::string file :
       {"latest.safetensors", "best.safetensors", "step-000004.safetensors", "config.toml", "log.jsonl"}) {
    CAPTURE(file);
    for (const std::string name : {"open", "write", "fsync", "close"}) {
      CAPTURE(name);
      CHECK(failed.contains(name + " " + file + ".tmp"));
    }
    CHECK(failed.contains("rename " + file));
  }
  for (const std::string kind : {"open log.jsonl", "write log.jsonl", "fsync log.jsonl", "open out", "fsync out"}) {
    CAPTURE(kind);
    CHECK(failed.contains(kind));
  }
}

TEST_CASE("A write that is cut short and a call that a signal interrupts are taken up again") {
  const Stopped place;
  for (const std::string& fault : {std::string("short"), std::to_string(EINTR)}) {
    CAPTURE(fault);
    int faults = 0;
    for (int call = 1;; call += 7) {
      const auto [outcome, report] = place.resume(fault, call);
      CAPTURE(call, report);
      if (report.empty()) break;
      if (report.starts_with("rename")) continue;  // is never interrupted
      require_success(outcome);
      place.check_ended();
      ++faults;
    }
    CHECK(faults > 5);
  }
}

TEST_CASE("On a disk that is full, the last checkpoint stays, and the run goes on when there is room again") {
  const Stopped place;
  int faults = 0;
  for (int call = 2;; call += 9) {
    const auto [outcome, report] = place.resume("full", call);
    CAPTURE(call, report);
    if (report.empty()) break;
    if (!report.starts_with("write")) continue;
    ++faults;
    check_failed(outcome, "No space left on device");
    place.check_whole();
    require_success(place.train({"--resume", "out", "--max_iters=4"}));
    place.check_ended();
  }
  CHECK(faults > 5);
}

TEST_CASE("A file beyond the size limit of the system is an error like any other") {
  const Stopped place;
  fs::copy(place.path / "before", place.path / "out");
  const auto size = fs::file_size(place.path / "out/latest.safetensors");
  for (const unsigned long limit : {0ul, 100ul, 4096ul, static_cast<unsigned long>(size) - 1}) {
    CAPTURE(limit);
    Surroundings around;
    around.limits = {{RLIMIT_FSIZE, limit}};
    // A build for coverage writes its counts too: not where they count, and without a word of its failing.
    around.environment = {{"GCOV_PREFIX", (place.path / "counts").string()}, {"GCOV_ERROR_FILE", "/dev/null"}};
    check_failed(place.train({"--resume", "out", "--max_iters=4"}, around), "File too large");
    place.check_whole();
  }
  require_success(place.train({"--resume", "out", "--max_iters=4"}));
  place.check_ended();
}

TEST_CASE("A run that is killed at any of a save's system calls goes on to the same bytes") {
  const Stopped place;
  int kills = 0;
  for (int call = 1;; call += 5) {
    const auto [outcome, report] = place.resume("kill", call);
    CAPTURE(call, report);
    if (report.empty()) break;
    REQUIRE(outcome.exit_code == 128 + SIGKILL);
    ++kills;
    place.check_whole(true);
    const Outcome resumed = place.train({"--resume", "out", "--max_iters=4"});
    if (resumed.err.find("this run has done its") == std::string::npos) require_success(resumed);
    place.check_ended();
  }
  CHECK(kills > 20);
}

}  // namespace fault_test
