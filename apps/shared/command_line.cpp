#include "apps/shared/command_line.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include "tensor/error.hpp"
#include "tensor/fast/subnormals.hpp"

namespace qisa {
namespace {

/// A check for options that are whole numbers: CLI11 wraps those out of range, and reads nothing as 0.
template <class Integer>
std::string out_of_range(const std::string& text) {
  Integer value;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && stop == text.data() + text.size();
  return good ? "" : fmt::format("\"{}\" is not a whole number in range", text);
}

}  // namespace

void parse_or_exit(CLI::App& app, int argc, char** argv) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_type_name() == "INT") option->check(out_of_range<std::int64_t>);
    if (option->get_type_name() == "UINT") option->check(out_of_range<std::uint64_t>);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    throw Exit{0, app.help()};
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    for (char& c : message) c = c == '\n' ? ' ' : c;
    throw Exit{2, fmt::format("{}: {} (see --help)\n", app.get_name(), message)};
  }
}

void flush_output() {
  const bool flushed = std::fflush(stdout) == 0;
  require(flushed, "cannot write to the standard output: {}", std::generic_category().message(errno));
}

int run_main(const std::function<int()>& body) {
  flush_subnormals();
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the size limit is an error of its write, as on a full disk
  try {
    const int exit_code = body();
    flush_output();
    return exit_code;
  } catch (const Exit& exit) {
    fmt::print(exit.code == 0 ? stdout : stderr, "{}", exit.text);
    return exit.code;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "error: not enough memory; a smaller model or batch_size may fit\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
  }
  return 1;
}

}  // namespace qisa
