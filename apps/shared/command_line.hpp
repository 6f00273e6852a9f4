// What the command lines of all programs share.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "apps/shared/standard_streams.hpp"

namespace qisa {

/// Thrown to end a program early: run_main() prints the text, on stderr unless the code is 0.
struct Exit {
  int code;
  std::string text;
};

/// Parses, or throws Exit: with 0 and the help, or with 2 and one line about what is wrong. Numbers are read
/// strictly, but 1e3 is a whole number; an option that there is not is told with the nearest that there is.
void parse_or_exit(CLI::App& app, int argc, char** argv);

/// The names of an app's options, without dashes.
std::vector<std::string> option_names(const CLI::App& app);

/// Runs a program and flushes its output; its result is the exit code. An exception that is not Exit becomes one
/// line on stderr and exit code 1.
int run_main(const std::function<int()>& body);

}  // namespace qisa
