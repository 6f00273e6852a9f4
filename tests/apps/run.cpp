#include "tests/apps/run.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "tensor/files/descriptor.hpp"

namespace qisa::test {
namespace {

constexpr std::chrono::seconds time_limit{60};

/// Two ends of a stream: the program writes into one, the test reads from the other.
struct Stream {
  int read = -1, write = -1;
};

Stream new_pipe() {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  return {ends[0], ends[1]};
}

void set_width(int terminal, int width) {
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(width);
  REQUIRE(::ioctl(terminal, TIOCSWINSZ, &size) == 0);
}

Stream new_terminal(int width) {
  const int ours = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(ours >= 0);
  REQUIRE(::grantpt(ours) == 0);
  REQUIRE(::unlockpt(ours) == 0);
  const int theirs = ::open(::ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
  REQUIRE(theirs >= 0);
  set_width(theirs, width);
  return {ours, theirs};
}

/// What the child does between fork and exec.
void surround(const Surroundings& around) {
  for (const auto& [name, value] : around.environment) ::setenv(name.c_str(), value.c_str(), 1);
  for (const std::string& name : around.without) ::unsetenv(name.c_str());
  for (const int signal : around.ignored) ::signal(signal, SIG_IGN);
  for (const auto& [resource, most] : around.limits) {
    const rlimit limit{most, most};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &limit);
  }
  if (around.bound_by_permissions && ::geteuid() == 0) {
    ::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE);  // what lets root write anywhere
    ::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH);
  }
}

/// Appends what can be read; false at the end of the stream (on a terminal, that is an error).
bool read_some(int stream, std::string& text) {
  char block[4096];
  const ssize_t count = ::read(stream, block, sizeof block);
  if (count > 0) text.append(block, static_cast<std::size_t>(count));
  return count > 0;
}

Outcome run(const std::string& program, const Arguments& arguments, const std::string& folder,
            const Surroundings& around) {
  const Stream out = around.terminal_width > 0 ? new_terminal(around.terminal_width) : new_pipe(), err = new_pipe();
  Process process(program, arguments, folder, around, out.write, err.write);
  ::close(out.write);
  ::close(err.write);

  Outcome outcome;
  const auto deadline = std::chrono::steady_clock::now() + time_limit;
  bool in_time = true, signalled = false;
  std::size_t resized_at = 0;  // characters of output
  pollfd waiting[] = {{out.read, POLLIN, 0}, {err.read, POLLIN, 0}};
  while (in_time && (waiting[0].fd >= 0 || waiting[1].fd >= 0)) {
    ::poll(waiting, 2, 100);
    if (waiting[0].revents != 0 && !read_some(out.read, outcome.out)) waiting[0].fd = -1;
    if (waiting[1].revents != 0 && !read_some(err.read, outcome.err)) waiting[1].fd = -1;
    const bool shown = outcome.out.find(around.signal_after) != std::string::npos;
    if (around.resized_to > 0 && resized_at == 0 && shown) {
      set_width(out.read, around.resized_to);
      resized_at = outcome.out.size();
      process.send(SIGWINCH);  // what the system does where the terminal is the program's own
    }
    const bool answered = around.resized_to == 0 || (resized_at > 0 && outcome.out.size() > resized_at);
    if (around.signal != 0 && !signalled && shown && answered) {
      process.send(around.signal);
      signalled = true;
    }
    in_time = std::chrono::steady_clock::now() < deadline;
  }
  ::close(out.read);
  ::close(err.read);
  INFO("stdout: " << outcome.out << "\nstderr: " << outcome.err);
  if (!in_time) FAIL(program << " did not end in time");
  outcome.exit_code = process.wait();
  outcome.peak_memory = process.peak_memory();
  return outcome;
}

}  // namespace

Process::Process(const std::string& program, const Arguments& arguments, const std::string& folder,
                 const Surroundings& around, int out, int err)
    : program_(program) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  id_ = ::fork();
  REQUIRE(id_ >= 0);
  if (id_ > 0) return;
  surround(around);
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  for (const int descriptor : around.closed) ::close(descriptor);
  if (::chdir(folder.c_str()) == 0) ::execv(program.c_str(), argv.data());
  ::_exit(127);
}

Process::~Process() {
  if (id_ <= 0) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

void Process::send(int signal) const { REQUIRE(::kill(id_, signal) == 0); }

int Process::wait() {
  const auto deadline = std::chrono::steady_clock::now() + time_limit;
  int status = 0;
  rusage usage{};
  pid_t ended = 0;
  while ((ended = ::wait4(id_, &status, WNOHANG, &usage)) == 0) {
    if (std::chrono::steady_clock::now() > deadline) FAIL(program_ << " did not end in time");
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  REQUIRE(ended == std::exchange(id_, 0));
  peak_memory_ = 1024 * static_cast<double>(usage.ru_maxrss);
  const int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (exit_code == 127) FAIL(program_ << " could not be started; build it first");
  return exit_code;
}

Workplace::Workplace(const std::string& text, const std::filesystem::path& parent) : TemporaryFolder(parent) {
  write("text.txt", text);
}

Outcome Workplace::train(const Arguments& arguments, const Surroundings& around) const {
  return run(QISA_PROGRAMS "/train", arguments, path.string(), around);
}

Outcome Workplace::sample(const Arguments& arguments, const Surroundings& around) const {
  return run(QISA_PROGRAMS "/sample", arguments, path.string(), around);
}

Outcome Workplace::evaluate(const Arguments& arguments) const {
  return run(QISA_PROGRAMS "/evaluate", arguments, path.string(), {});
}

Outcome Workplace::bench(const Arguments& arguments) const {
  return run(QISA_PROGRAMS "/bench", arguments, path.string(), {});
}

Process Workplace::start_train(const Arguments& arguments, const Surroundings& around) const {
  const Descriptor output(::open((path / "output.txt").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  REQUIRE(output.number() >= 0);
  return Process(QISA_PROGRAMS "/train", arguments, path.string(), around, output.number(), output.number());
}

Arguments Workplace::tiny(Options more) {
  more.merge(Options{{"data", "text.txt"},
                     {"n_layer", "1"},
                     {"n_head", "1"},
                     {"n_embd", "8"},
                     {"block_size", "8"},
                     {"batch_size", "4"},
                     {"max_iters", "20"},
                     {"threads", "1"}});
  return as_arguments(more);
}

Outcome Workplace::train_tiny(const Options& more, const Surroundings& around) const {
  return train(tiny(more), around);
}

void Workplace::write(const std::filesystem::path& name, const std::string& content) const {
  std::filesystem::create_directories((path / name).parent_path());
  std::ofstream(path / name, std::ios::binary) << content;
}

std::string Workplace::read(const std::filesystem::path& name) const {
  std::ifstream stream(path / name, std::ios::binary);
  INFO("file: " << name);
  REQUIRE(stream.is_open());
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string Workplace::verse() {
  std::string text;
  for (int number = 0; number < 20; ++number) {
    text += "Line " + std::to_string(number * number) + ": the cat sat on the mat, and the dog lay in the fog.\n";
    text += number % 3 == 0 ? "Who calls?\n\n" : "Nobody; a bird, I think.\n";
  }
  return text;
}

std::filesystem::path fast_folder() {
  const char* memory = "/dev/shm";
  return ::access(memory, W_OK | X_OK) == 0 ? std::filesystem::path(memory) : std::filesystem::temp_directory_path();
}

Arguments as_arguments(const Options& options) {
  Arguments arguments;
  for (const auto& [name, value] : options) arguments.push_back("--" + name + "=" + value);
  return arguments;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::vector<std::string> timeless(const std::string& log) {
  std::vector<std::string> lines = lines_of(log);
  for (std::string& line : lines) {
    INFO("line: " << line);
    nlohmann::ordered_json json;
    REQUIRE_NOTHROW(json = nlohmann::ordered_json::parse(line));
    json.erase("tokens_per_second");
    json.erase("elapsed_s");
    json.erase("settings");  // have folder and threads, and those of a resumed run's last life
    line = json.dump();
  }
  return lines;
}

void require_success(const Outcome& outcome) {
  INFO("stdout: " << outcome.out << "\nstderr: " << outcome.err);
  REQUIRE(outcome.exit_code == 0);
  REQUIRE(outcome.err.empty());
}

void require_written(const Outcome& outcome) {
  INFO("stdout: " << outcome.out << "\nstderr: " << outcome.err);
  REQUIRE(outcome.exit_code == 0);
  REQUIRE(outcome.err.starts_with("from "));
  REQUIRE(lines_of(outcome.err).size() == 1);
}

void check_refused(const Outcome& outcome, int exit_code, const std::vector<std::string>& pieces) {
  INFO("stdout: " << outcome.out << "\nstderr: " << outcome.err);
  CHECK(outcome.exit_code == exit_code);
  CHECK(outcome.out.empty());
  CHECK(lines_of(outcome.err).size() == 1);
  CHECK(outcome.err.ends_with('\n'));
  for (const std::string& piece : pieces) {
    INFO("expected in it: " << piece);
    CHECK(outcome.err.find(piece) != std::string::npos);
  }
}

}  // namespace qisa::test
