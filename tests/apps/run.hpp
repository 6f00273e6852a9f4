// Runs the programs as a user does: as child processes, in a folder of their own, with or without a
// terminal, and with a signal sent to them if a test wants one.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "tests/tensor/files.hpp"

namespace qisa::test {

using Arguments = std::vector<std::string>;
using Options = std::map<std::string, std::string>;  // values by the option's name, without dashes

/// How a program ended and what it wrote.
struct Outcome {
  int exit_code = 0;  // 128 plus the signal's number, as a shell says it, when a signal ended the program
  std::string out, err;
  double peak_memory = 0;  // bytes
};

/// What a program finds around it.
struct Surroundings {
  std::map<std::string, std::string> environment = {};  // beside the test's own
  std::vector<std::string> without = {};                // variables that it does not get
  int terminal_width = 0;                               // stdout is a terminal of so many columns; 0: a pipe
  int signal = 0;                                       // sent once stdout has shown signal_after
  std::string signal_after = {};
  std::map<int, unsigned long> limits = {};  // RLIMIT_…, and how much the program may have of it
  bool bound_by_permissions = false;         // even if the test runs as root
  std::vector<int> closed = {};              // descriptors that are not open
  std::vector<int> ignored = {};             // signals
  int resized_to = 0;                        // columns that the terminal gets once stdout has shown signal_after; then
                                             // the signal comes once the program has written something more
};

/// A program that runs beside the test. It is killed with the object if it has not ended by then.
class Process {
 public:
  /// `folder` is where it runs; `out` and `err` are its stdout and stderr.
  Process(const std::string& program, const Arguments& arguments, const std::string& folder, const Surroundings& around,
          int out, int err);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const;
  /// Waits for its end, but fails the test after a minute. Returns the exit code, as in Outcome.
  int wait();
  /// The most memory that it had, in bytes, known after wait().
  double peak_memory() const { return peak_memory_; }

 private:
  std::string program_;
  pid_t id_;  // 0 after its end
  double peak_memory_ = 0;
};

/// A new folder that holds text.txt, and the programs run in it. It is removed at the end.
class Workplace : public TemporaryFolder {
 public:
  /// `text` is written to text.txt.
  explicit Workplace(const std::string& text = verse(),
                     const std::filesystem::path& parent = std::filesystem::temp_directory_path());

  /// Each fails the test when the program does not end in a minute.
  Outcome train(const Arguments& arguments, const Surroundings& around = {}) const;
  Outcome sample(const Arguments& arguments, const Surroundings& around = {}) const;
  Outcome evaluate(const Arguments& arguments) const;
  Outcome bench(const Arguments& arguments) const;
  /// Starts train; what it writes goes to output.txt.
  Process start_train(const Arguments& arguments, const Surroundings& around = {}) const;

  /// A model that trains on text.txt in a moment, by 20 steps; `more` adds options or replaces some.
  Outcome train_tiny(const Options& more = {}, const Surroundings& around = {}) const;
  /// The arguments for it.
  static Arguments tiny(Options more = {});

  void write(const std::filesystem::path& name, const std::string& content) const;  // makes folders too
  std::string read(const std::filesystem::path& name) const;

  /// About 1,800 characters of ASCII.
  static std::string verse();
};

/// A folder in memory if the system has one, for tests that save often: flushing costs no time there.
std::filesystem::path fast_folder();

/// {"--name=value", …}.
Arguments as_arguments(const Options& options);

/// The lines of a run's log without what depends on time and on the last start: tokens_per_second,
/// elapsed_s and settings.
std::vector<std::string> timeless(const std::string& log);

/// The lines of a text; what follows the last line break is a line if it is not empty.
std::vector<std::string> lines_of(const std::string& text);

/// Ends the test unless the program ended with 0 and said nothing on stderr.
void require_success(const Outcome& outcome);
/// The same for `sample`, which says on stderr which checkpoint it reads.
void require_written(const Outcome& outcome);

/// Checks that a program ended with this code and said one line, with all pieces in it, on stderr.
void check_refused(const Outcome& outcome, int exit_code, const std::vector<std::string>& pieces);

}  // namespace qisa::test
