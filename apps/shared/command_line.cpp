#include "apps/shared/command_line.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <new>

#include "apps/shared/nearest.hpp"
#include "apps/shared/numbers.hpp"
#include "tensor/error.hpp"
#include "tensor/fast/subnormals.hpp"
#include "tensor/version.hpp"

namespace qisa {
namespace {

/// A check of options that are whole numbers, which it writes as digits: CLI11 wraps those out of range, and reads
/// nothing as 0.
template <class Integer>
std::string whole_number(std::string& text) {
  const auto value = parse_whole_number<Integer>(text);
  if (!value) return fmt::format("\"{}\" is not a whole number in range", text);
  text = fmt::format("{}", *value);
  return "";
}

/// The same for floating-point numbers.
std::string number(std::string& text) {
  return parse_number<double>(text) ? "" : fmt::format("\"{}\" is not a number in range", text);
}

/// What is wrong with arguments that no option took.
std::string unexpected(const CLI::App& app) {
  std::vector<std::string> extras = app.remaining();
  std::erase(extras, "--");  // which only says that no option follows
  for (const std::string& extra : extras) {
    const std::size_t name = extra.find_first_not_of('-'), end = extra.find('=');
    if (name == 0 || name == std::string::npos) continue;  // no option, or nothing but dashes
    return fmt::format("there is no option {}{}", extra.substr(0, end),
                       did_you_mean(extra.substr(name, end - name), option_names(app), "--"));
  }
  return fmt::format("\"{}\" was not expected", extras.empty() ? "" : extras.front());
}

std::string one_line(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text;
}

}  // namespace

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  return names;
}

void parse_or_exit(CLI::App& app, int argc, char** argv) {
  for (CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    if (type == "INT") option->transform(CLI::Validator(whole_number<std::int64_t>, ""));
    if (type == "UINT") option->transform(CLI::Validator(whole_number<std::uint64_t>, ""));
    if (type == "FLOAT") option->transform(CLI::Validator(number, ""));
  }
  const auto complaint = [&app](const std::string& message) {
    return Exit{2, fmt::format("{}: {} (see --help)\n", app.get_name(), one_line(message))};
  };
  app.set_version_flag("--version", fmt::format("{} {}", app.get_name(), version), "print the version and end");
  for (int i = 1; i < argc; ++i) {  // CLI11 would take the next argument for the value
    const std::string argument = argv[i];
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      throw complaint(argument + " has no value; give one, or leave the option out");
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    throw Exit{0, app.help()};
  } catch (const CLI::CallForVersion& asked) {
    throw Exit{0, std::string(asked.what()) + '\n'};
  } catch (const CLI::ExtrasError&) {
    throw complaint(unexpected(app));
  } catch (const CLI::ParseError& error) {
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_expected_max() == 1 && option->results().size() > 1) {
        throw complaint(option->get_name() + " is given more than once");
      }
    }
    throw complaint(error.what());
  }
}

int run_main(const std::function<int()>& body) {
  open_standard_descriptors();
  flush_subnormals();
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the size limit is an error of its write, as on a full disk
  try {
    int exit_code = 0;
    try {
      exit_code = body();
    } catch (const Exit& exit) {
      exit_code = exit.code;
      exit_code == 0 ? fmt::print("{}", exit.text) : complain(exit.text);
      if (exit_code != 0) return exit_code;
    }
    flush_output();
    return exit_code;
  } catch (const std::bad_alloc&) {
    complain("error: not enough memory; a smaller model or batch_size may fit\n");
  } catch (const std::exception& error) {
    complain(fmt::format("error: {}\n", error.what()));
  }
  return 1;
}

}  // namespace qisa
