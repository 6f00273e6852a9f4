// Runs the programs as a user does: as child processes, in a folder of their own, with or without a
// terminal, and with a signal sent to them if a test wants one.
#pragma once

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
};

/// What a program finds around it.
struct Surroundings {
  std::map<std::string, std::string> environment = {};  // beside the test's own
  int terminal_width = 0;                               // stdout is a terminal of so many columns; 0: a pipe
  int signal = 0;                                       // sent once stdout has shown signal_after
  std::string signal_after = {};
};

/// A new folder that holds text.txt, and the programs run in it. It is removed at the end.
class Workplace : public TemporaryFolder {
 public:
  /// `text` is written to text.txt.
  explicit Workplace(const std::string& text = verse());

  /// Each fails the test when the program does not end in a minute.
  Outcome train(const Arguments& arguments, const Surroundings& around = {}) const;
  Outcome sample(const Arguments& arguments, const Surroundings& around = {}) const;

  /// A model that trains on text.txt in a moment, by 20 steps; `more` adds options or replaces some.
  Outcome train_tiny(const Options& more = {}, const Surroundings& around = {}) const;

  void write(const std::filesystem::path& name, const std::string& content) const;  // makes folders too
  std::string read(const std::filesystem::path& name) const;

  /// About 1,800 characters of ASCII.
  static std::string verse();
};

/// {"--name=value", …}.
Arguments as_arguments(const Options& options);

/// The lines of a text; what follows the last line break is a line if it is not empty.
std::vector<std::string> lines_of(const std::string& text);

/// Ends the test unless the program ended with 0 and said nothing on stderr.
void require_success(const Outcome& outcome);

/// Checks that a program ended with this code and said one line, with all pieces in it, on stderr.
void check_refused(const Outcome& outcome, int exit_code, const std::vector<std::string>& pieces);

}  // namespace qisa::test
