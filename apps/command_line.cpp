#include "apps/command_line.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <new>

namespace qisa {

void parse_or_exit(CLI::App& app, int argc, char** argv) {
  app.option_defaults()->always_capture_default();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    std::exit(app.exit(help));
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    for (char& c : message) c = c == '\n' ? ' ' : c;
    fmt::print(stderr, "{}: {} (see --help)\n", app.get_name(), message);
    std::exit(2);
  }
}

int run_main(const std::function<int()>& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "error: not enough memory; a smaller model or batch_size may fit\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
  }
  return 1;
}

}  // namespace qisa
