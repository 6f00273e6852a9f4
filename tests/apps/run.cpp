#include "tests/apps/run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>

namespace qisa::test {
namespace {

constexpr std::chrono::seconds time_limit{60};

/// Two ends of a stream: the program writes into one, the test reads from the other.
struct Stream {
  int read = -1, write = -1;
};

Stream new_pipe() {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  return {ends[0], ends[1]};
}

Stream new_terminal(int width) {
  const int ours = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(ours >= 0);
  REQUIRE(::grantpt(ours) == 0);
  REQUIRE(::unlockpt(ours) == 0);
  const int theirs = ::open(::ptsname(ours), O_RDWR | O_NOCTTY);
  REQUIRE(theirs >= 0);
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(width);
  REQUIRE(::ioctl(theirs, TIOCSWINSZ, &size) == 0);
  return {ours, theirs};
}

/// Starts the program; its input is empty. Returns its process id.
pid_t start(const std::string& program, const Arguments& arguments, const std::string& folder,
            const Surroundings& around, const Stream& out, const Stream& err) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child > 0) return child;
  for (const auto& [name, value] : around.environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(out.write, STDOUT_FILENO);
  ::dup2(err.write, STDERR_FILENO);
  for (const int end : {out.read, out.write, err.read, err.write}) ::close(end);
  if (::chdir(folder.c_str()) == 0) ::execv(program.c_str(), argv.data());
  ::_exit(127);
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
  const pid_t child = start(program, arguments, folder, around, out, err);
  ::close(out.write);
  ::close(err.write);

  Outcome outcome;
  const auto deadline = std::chrono::steady_clock::now() + time_limit;
  bool in_time = true, signalled = false;
  pollfd waiting[] = {{out.read, POLLIN, 0}, {err.read, POLLIN, 0}};
  while (in_time && (waiting[0].fd >= 0 || waiting[1].fd >= 0)) {
    ::poll(waiting, 2, 100);
    if (waiting[0].revents != 0 && !read_some(out.read, outcome.out)) waiting[0].fd = -1;
    if (waiting[1].revents != 0 && !read_some(err.read, outcome.err)) waiting[1].fd = -1;
    if (around.signal != 0 && !signalled && outcome.out.find(around.signal_after) != std::string::npos) {
      ::kill(child, around.signal);
      signalled = true;
    }
    in_time = std::chrono::steady_clock::now() < deadline;
  }
  if (!in_time) ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ::close(out.read);
  ::close(err.read);
  INFO("stdout: " << outcome.out << "\nstderr: " << outcome.err);
  if (!in_time) FAIL(program << " did not end in time");
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (outcome.exit_code == 127) FAIL(program << " could not be started; build it first");
  return outcome;
}

}  // namespace

Workplace::Workplace(const std::string& text) { write("text.txt", text); }

Outcome Workplace::train(const Arguments& arguments, const Surroundings& around) const {
  return run(QISA_PROGRAMS "/train", arguments, path.string(), around);
}

Outcome Workplace::sample(const Arguments& arguments, const Surroundings& around) const {
  return run(QISA_PROGRAMS "/sample", arguments, path.string(), around);
}

Outcome Workplace::train_tiny(const Options& more, const Surroundings& around) const {
  Options options = more;
  options.merge(Options{{"data", "text.txt"},
                        {"n_layer", "1"},
                        {"n_head", "1"},
                        {"n_embd", "8"},
                        {"block_size", "8"},
                        {"batch_size", "4"},
                        {"max_iters", "20"},
                        {"threads", "1"}});
  return train(as_arguments(options), around);
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

void require_success(const Outcome& outcome) {
  INFO("stdout: " << outcome.out << "\nstderr: " << outcome.err);
  REQUIRE(outcome.exit_code == 0);
  REQUIRE(outcome.err.empty());
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
