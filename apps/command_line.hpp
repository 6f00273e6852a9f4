// What the command lines of all programs share.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace qisa {

/// Parses, or prints help and exits with 0, or prints one line about what is wrong and exits with 2.
void parse_or_exit(CLI::App& app, int argc, char** argv);

/// Flushes stdout. Throws when what was printed cannot be written: the disk is full.
void flush_output();

/// Runs a program's main part and flushes its output; an exception becomes one line on stderr and exit code 1.
int run_main(const std::function<int()>& body);

}  // namespace qisa
