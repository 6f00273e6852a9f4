// train and the signals that end it: the last finished step is saved at once, whatever the program is doing and
// whoever reads its output.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "nn/files/checkpoint.hpp"
#include "tensor/files/descriptor.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace signal_test {

const Options endless = {
    {"out_dir", "out"}, {"max_iters", "100000000"}, {"eval_interval", "100000000"}, {"log_interval", "1"}};

/// Steps that take hours: what ends such a run does not wait for them.
Options with_slow_steps() {
  Options options = endless;
  options["batch_size"] = "16777216";
  return options;
}

/// Waits until a file has a piece of text.
void wait_for(const Workplace& place, const std::string& file, const std::string& piece) {
  for (int tries = 0; !fs::exists(place.path / file) || place.read(file).find(piece) == std::string::npos; ++tries) {
    REQUIRE(tries < 60'000);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// Checks that out/ holds a whole checkpoint of the last finished step, of a run that logs each. Returns the step.
Index check_last_step_saved(const Workplace& place) {
  const TrainingState state = load_checkpoint(place.path / "out/latest.safetensors").training.value();
  const std::vector<std::string> log = lines_of(place.read("out/log.jsonl"));
  const Index logged = log.size() > 1 ? nlohmann::json::parse(log.back()).at("step").get<Index>() : 0;
  CHECK(state.steps == logged + (state.unreported ? 1 : 0));
  return state.steps;
}

/// Starts a program in the process group of another, or in a new one.
pid_t start(const Arguments& arguments, const Workplace& place, pid_t group, int in, int out) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t id = ::fork();
  REQUIRE(id >= 0);
  if (id > 0) {
    ::setpgid(id, group == 0 ? id : group);  // here too: whoever comes first
    return id;
  }
  ::setpgid(0, group);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  if (::chdir(place.path.c_str()) == 0) ::execvp(argv[0], argv.data());
  ::_exit(127);
}

int exit_code_of(pid_t id) {
  int status = 0;
  REQUIRE(::waitpid(id, &status, 0) == id);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_CASE("Ctrl-C on train | tee leaves a checkpoint of the last finished step, each time") {
  for (int time = 0; time < 20; ++time) {
    CAPTURE(time);
    const Workplace place(Workplace::verse(), fast_folder());
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Arguments train = Workplace::tiny(endless);
    train.insert(train.begin(), QISA_PROGRAMS "/train");
    const pid_t trainer = start(train, place, 0, nothing.number(), ends[1]);
    const pid_t tee = start({"tee", "log.txt"}, place, trainer, ends[0], nothing.number());
    ::close(ends[0]);
    ::close(ends[1]);
    wait_for(place, "log.txt", "step  ");
    REQUIRE(::kill(-trainer, SIGINT) == 0);
    CHECK(exit_code_of(tee) == 128 + SIGINT);
    CHECK(exit_code_of(trainer) == 130);
    CHECK(check_last_step_saved(place) > 0);
  }
}

TEST_CASE("A signal is answered at once, and what is saved does not wait for the step under way") {
  const auto [signal, name, exit_code] = GENERATE(
      std::tuple{SIGINT, "SIGINT", 130}, std::tuple{SIGTERM, "SIGTERM", 143}, std::tuple{SIGHUP, "SIGHUP", 129});
  CAPTURE(name);
  const Workplace place;
  Surroundings around;
  around.signal = signal;
  around.signal_after = "run    ";
  const Outcome outcome = place.train_tiny(with_slow_steps(), around);
  CHECK(outcome.exit_code == exit_code);
  CHECK(outcome.err.empty());
  const std::vector<std::string> lines = lines_of(outcome.out);
  REQUIRE(lines.size() >= 2);
  CHECK(lines[lines.size() - 2].starts_with(std::string(name) + ": saving the last finished step in out"));
  CHECK(lines.back() == "stopped at step 0; `train --resume out` continues");
  CHECK(check_last_step_saved(place) == 0);
}

TEST_CASE("A second signal waits for the save of the first") {
  const Workplace place;
  Process process = place.start_train(Workplace::tiny(with_slow_steps()));
  wait_for(place, "output.txt", "run    ");
  process.send(SIGSTOP);  // so that they come together
  process.send(SIGINT);
  process.send(SIGTERM);
  process.send(SIGINT);
  process.send(SIGCONT);
  const int exit_code = process.wait();
  CHECK((exit_code == 130 || exit_code == 143));
  check_last_step_saved(place);
}

TEST_CASE("A signal that the parent ignores stays ignored") {
  const Workplace place;
  Surroundings around;
  around.ignored = {SIGINT, SIGHUP};
  Process process = place.start_train(Workplace::tiny(endless), around);
  wait_for(place, "output.txt", "step  ");
  process.send(SIGINT);
  process.send(SIGHUP);
  const auto before = place.read("output.txt").size();
  while (place.read("output.txt").size() < before + 2000) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  process.send(SIGTERM);
  CHECK(process.wait() == 143);
  CHECK(place.read("output.txt").find("SIGINT") == std::string::npos);
  check_last_step_saved(place);
}

TEST_CASE("A reader that leaves does not end a training") {
  const Workplace place;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  ::close(ends[0]);
  const Descriptor errors(::open((place.path / "errors.txt").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  Process process(QISA_PROGRAMS "/train", Workplace::tiny({{"out_dir", "out"}, {"log_interval", "1"}}),
                  place.path.string(), {}, ends[1], errors.number());
  ::close(ends[1]);
  CHECK(process.wait() == 0);
  const std::string said = place.read("errors.txt");
  CHECK(lines_of(said).size() == 1);
  CHECK(said.find("training goes on") != std::string::npos);
  CHECK(nlohmann::json::parse(lines_of(place.read("out/log.jsonl")).back()).at("event") == "done");
  CHECK(load_checkpoint(place.path / "out/latest.safetensors").training->steps == 20);
}

TEST_CASE("A reader that does not read keeps no signal from saving") {
  const Workplace place;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) == 4096);
  const Descriptor reader(ends[0]);
  Process process(QISA_PROGRAMS "/train", Workplace::tiny(endless), place.path.string(), {}, ends[1], ends[1]);
  ::close(ends[1]);
  for (std::size_t before = 0, now = 1; now != before;) {  // until the program is stuck
    before = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    if (fs::exists(place.path / "out/log.jsonl")) now = place.read("out/log.jsonl").size();
    if (now == 1) before = 0;
  }
  process.send(SIGINT);
  CHECK(process.wait() == 130);
  CHECK(check_last_step_saved(place) > 10);
}

TEST_CASE("A run that was stopped during an evaluation evaluates first when it is resumed") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += Workplace::verse();
  const Workplace place(text, fast_folder());
  const Options run = {{"max_iters", "6"}, {"eval_interval", "3"}, {"log_interval", "1"},
                       {"keep", "2"},      {"n_layer", "4"},       {"n_embd", "64"}};
  Options through = run, stopped = run;
  through["out_dir"] = "through";
  stopped["out_dir"] = "out";
  require_success(place.train_tiny(through));
  Surroundings around;
  around.terminal_width = 100;
  around.signal = SIGINT;
  around.signal_after = "evaluating, ";
  REQUIRE(place.train_tiny(stopped, around).exit_code == 130);
  REQUIRE(check_last_step_saved(place) == 3);
  REQUIRE(load_checkpoint(place.path / "out/latest.safetensors").training->unreported.has_value());
  require_success(place.train({"--resume", "out"}));
  CHECK(timeless(place.read("out/log.jsonl")) == timeless(place.read("through/log.jsonl")));
  for (const char* name : {"latest.safetensors", "best.safetensors", "step-000003.safetensors"}) {
    CHECK((place.read(fs::path("out") / name) == place.read(fs::path("through") / name)));
  }
}

}  // namespace signal_test
