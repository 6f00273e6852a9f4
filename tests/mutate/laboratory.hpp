// A build of the libraries and their tests, into which one fault at a time is put: what it touches is compiled and
// linked again in a room of its own, then tests run until one fails.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/mutate/faults.hpp"

namespace qisa::mutation {

enum class Outcome {
  killed,
  survived,
  equivalent,  ///< gives the same object code
  invalid,     ///< does not compile
};

struct Result {
  Outcome outcome = Outcome::invalid;
  std::string by;  ///< the test that failed, or how else it showed
};

/// What no fault changes: how the sources are compiled and linked, which files include which, how long the tests take.
/// The sources lie in `tree`, built in `build` by CMake's Makefiles, each source by itself.
class Laboratory {
 public:
  /// Runs all tests once; throws std::runtime_error if one fails.
  Laboratory(std::filesystem::path tree, std::filesystem::path build);

  /// Puts the fault in, using the folder `room`, which no other thread may use meanwhile.
  Result try_fault(const Fault& fault, const std::filesystem::path& room) const;

 private:
  struct Unit {
    std::string source;  ///< relative to the tree
    std::string command, object;
    std::string flavour;
  };
  class Trial;

  /// What is compiled again when a file changes, nearest first.
  std::vector<const Unit*> units_with(const std::string& file, const std::string& flavour) const;
  bool includes(const std::string& source, const std::string& file) const;

  std::filesystem::path tree_, build_;
  std::vector<std::string> flavours_;  ///< those built, double first
  std::vector<Unit> units_;
  std::map<std::string, std::vector<std::string>> includes_;  ///< by source: itself and all that it includes
  std::map<std::string, std::string> link_;                   ///< by flavour: the command that links the tests
  std::map<std::string, std::string> tests_;                  ///< by flavour: the names of its files of tests
  std::map<std::string, double> seconds_;                     ///< by flavour: what all tests take of the processor
};

/// The whole content of a file.
std::string read_text(const std::filesystem::path& path);

/// Writes the whole content of a file, and the folders above it.
void write_text(const std::filesystem::path& path, const std::string& text);

/// The user has stopped a command by Ctrl-C.
struct Stopped {};

}  // namespace qisa::mutation
