#include "tests/mutate/laboratory.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

namespace qisa::mutation {

namespace fs = std::filesystem;

namespace {

constexpr int cannot_run = 127, stopped = 130, out_of_time = 137;  // how a shell and `timeout` say it

/// Runs a command of the shell in a folder; its exit status, or 128 and the signal that ended it.
int run(const fs::path& folder, const std::string& command) {
  const int status = std::system(fmt::format("cd '{}' && {}", folder.string(), command).c_str());
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (code == stopped || code == 128 + SIGTERM) throw Stopped();
  return code;
}

void replace_first(std::string& text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  if (at == text.npos) throw std::runtime_error(fmt::format("no '{}' in the command: {}", what, text));
  text.replace(at, what.size(), by);
}

std::string word_after(const std::string& text, const std::string& option) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == option && words >> word) return word;
  }
  return "";
}

/// What a source includes with quotes, itself first, then what that includes.
std::vector<std::string> all_includes(const fs::path& tree, const std::string& source) {
  static const std::regex include("#include \"([^\"]+)\"");
  std::vector<std::string> files = {source};
  std::set<std::string> seen(files.begin(), files.end());
  for (std::size_t k = 0; k < files.size(); ++k) {
    if (!fs::exists(tree / files[k])) continue;
    const std::string text = read_text(tree / files[k]);
    for (std::sregex_iterator i(text.begin(), text.end(), include), end; i != end; ++i) {
      if (seen.insert((*i)[1]).second) files.push_back((*i)[1]);
    }
  }
  return files;
}

/// 0 for a source or test of the same name, else 1 and the folders that are not common to both.
std::size_t distance_between(std::string source, const fs::path& file) {
  if (source.starts_with("tests/")) source.erase(0, std::string("tests/").size());
  const std::string name = fs::path(source).stem().string();
  if (name == file.stem() || name == file.stem().string() + "_test") return 0;
  const fs::path way = fs::path(source).parent_path().lexically_relative(file.parent_path());
  return 1 + static_cast<std::size_t>(std::distance(way.begin(), way.end()));
}

/// Seconds that the processor has spent on commands that have ended.
double seconds_of_commands() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// The command that runs tests that take so many seconds of the processor, with limits on its time, the clock's and
/// memory. BLAS uses the kernel that is best for the processor, for which more of the code is.
std::string test_command(const fs::path& program, const std::string& files, const fs::path& scratch, double seconds) {
  const int limit = static_cast<int>(5 + 3 * seconds);
  return fmt::format(
      "ulimit -t {}; ulimit -v 12000000; ulimit -c 0; exec env -u OPENBLAS_CORETYPE TMPDIR='{}' "
      "timeout --foreground -s KILL {} '{}' --abort -# {} </dev/null >log 2>&1",
      limit, scratch.string(), 5 * limit, program.string(), files.empty() ? "" : "'" + files + "'");
}

}  // namespace

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  if (!(file << text << std::flush)) throw std::runtime_error("cannot write " + path.string());
}

Laboratory::Laboratory(fs::path tree, fs::path build) : tree_(std::move(tree)), build_(std::move(build)) {
  static const std::regex of_library("(tests/)?(tensor|autograd|quantum|nn)/.*");
  for (const auto& entry : nlohmann::json::parse(read_text(build_ / "compile_commands.json"))) {
    const std::string source = fs::path(entry.at("file")).lexically_relative(tree_).string();
    if (!std::regex_match(source, of_library)) continue;
    const std::string command = entry.at("command");
    const std::string flavour = command.find(" -DQISA_DOUBLE") != command.npos ? "double" : "float";
    units_.push_back({source, command, word_after(command, "-o"), flavour});
    if (!includes_.contains(source)) includes_[source] = all_includes(tree_, source);
  }
  for (const std::string flavour : {"double", "float"}) {
    if (!fs::exists(build_ / ("tests_" + flavour))) continue;
    flavours_.push_back(flavour);
    link_[flavour] = read_text(build_ / fmt::format("CMakeFiles/tests_{}.dir/link.txt", flavour));
    std::erase(link_[flavour], '\n');
    const fs::path program = build_ / ("tests_" + flavour);
    const double before = seconds_of_commands();
    if (run(build_, test_command(program, "", fs::temp_directory_path(), 1000)) != 0) {
      throw std::runtime_error(
          fmt::format("tests_{} fails without any fault; see {}", flavour, (build_ / "log").string()));
    }
    seconds_[flavour] = seconds_of_commands() - before;
    run(build_, program.string() + " --list-tags -# >log");
    tests_[flavour] = read_text(build_ / "log");
    fmt::print("mutate: tests_{} takes {:.0f} s of the processor\n", flavour, seconds_[flavour]);
  }
  if (flavours_.empty()) throw std::runtime_error("no tests in " + build_.string());
}

bool Laboratory::includes(const std::string& source, const std::string& file) const {
  const std::vector<std::string>& files = includes_.at(source);
  return std::find(files.begin(), files.end(), file) != files.end();
}

std::vector<const Laboratory::Unit*> Laboratory::units_with(const std::string& file, const std::string& flavour) const {
  std::vector<const Unit*> units;
  for (const Unit& unit : units_) {
    if (unit.flavour == flavour && includes(unit.source, file)) units.push_back(&unit);
  }
  const auto distance = [&](const Unit* unit) { return distance_between(unit->source, file); };
  std::stable_sort(units.begin(), units.end(), [&](auto a, auto b) { return distance(a) < distance(b); });
  return units;
}

/// One fault in one room.
class Laboratory::Trial {
 public:
  Trial(const Laboratory& lab, const Fault& fault, const fs::path& room) : lab_(lab), fault_(fault), room_(room) {
    fs::remove_all(room);
    fs::create_directories(room / "scratch");
    write_text(room / "tree" / fault.file, with_fault(read_text(lab.tree_ / fault.file), fault));
  }

  /// Sources and tests nearest to the fault first: of what includes a header they notice most.
  Result run_all() {
    constexpr std::size_t few = 12;
    for (const std::size_t most : {few, std::numeric_limits<std::size_t>::max()}) {
      for (const std::string& flavour : lab_.flavours_) {
        const std::size_t before = compiled_[flavour].size();
        if (!compile_up_to(most, flavour)) return {Outcome::invalid, ""};
        if (!changes_[flavour]) continue;
        if (compiled_[flavour].size() > before && !link(flavour)) return {Outcome::invalid, ""};
        const std::string tests = most == few ? tests_near(flavour) : "";
        if (most == few && tests.empty()) continue;
        if (const std::string by = failing_test(flavour, tests); !by.empty()) return {Outcome::killed, by};
      }
    }
    const bool same = std::none_of(changes_.begin(), changes_.end(), [](const auto& entry) { return entry.second; });
    return {same || same_when_optimized() ? Outcome::equivalent : Outcome::survived, ""};
  }

 private:
  fs::path object(const Unit& unit) const { return room_ / "objects" / unit.object; }

  /// Compiles what the fault touches, at most so many units.
  bool compile_up_to(std::size_t most, const std::string& flavour) {
    const std::vector<const Unit*> units = lab_.units_with(fault_.file, flavour);
    for (auto& done = compiled_[flavour]; done.size() < std::min(most, units.size());) {
      done.push_back(units[done.size()]);
      if (!compile(*done.back(), "", true)) return false;
      if (read_text(object(*done.back())) != read_text(lab_.build_ / done.back()->object)) changes_[flavour] = true;
    }
    return true;
  }

  /// Compiles a unit with the fault or without.
  bool compile(const Unit& unit, const std::string& options, bool faulty) {
    std::string command = unit.command;
    const std::string source = (lab_.tree_ / unit.source).string();
    fs::create_directories(object(unit).parent_path());
    replace_first(command, "-o " + unit.object, fmt::format("-o '{}'", object(unit).string()));
    if (faulty) {
      const fs::path other = room_ / "tree";
      if (unit.source == fault_.file)
        replace_first(command, "-c " + source, fmt::format("-c '{}'", (other / unit.source).string()));
      command.insert(command.find(' '), fmt::format(" -I'{}'", other.string()));
    }
    return run(lab_.build_, fmt::format("{} -w {} >'{}' 2>&1", command, options, (room_ / "log").string())) == 0;
  }

  /// The linker takes what the fault has changed instead of the library's.
  bool link(const std::string& flavour) {
    std::string command = lab_.link_.at(flavour), added;
    const std::string program = "tests_" + flavour;
    replace_first(command, " -o " + program + " ", fmt::format(" -o '{}' ", (room_ / program).string()));
    for (const Unit* unit : compiled_[flavour]) {
      const std::string other = fmt::format(" '{}'", object(*unit).string());
      const std::size_t at = command.find(" " + unit->object);
      if (at == command.npos) {
        added += other;
      } else {
        command.replace(at, unit->object.size() + 1, other);
      }
    }
    command.insert(command.find(" -o "), added);
    return run(lab_.build_, fmt::format("{} >'{}' 2>&1", command, (room_ / "log").string())) == 0;
  }

  /// Files of tests in the folder under tests/ that mirrors the fault's, or above it, as Catch's tags.
  std::string tests_near(const std::string& flavour) const {
    std::string tags;
    for (fs::path folder = fs::path(fault_.file).parent_path(); tags.empty() && !folder.empty();
         folder = folder.parent_path()) {
      if (!fs::exists(lab_.tree_ / "tests" / folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(lab_.tree_ / "tests" / folder)) {
        const std::string tag = fmt::format("[#{}]", entry.path().stem().string());
        if (lab_.tests_.at(flavour).find(tag) != std::string::npos) tags += (tags.empty() ? "" : ",") + tag;
      }
    }
    return tags;
  }

  /// Runs the tests in these files, all if there are none, until one fails; its file, or the way that it ended.
  std::string failing_test(const std::string& flavour, const std::string& files) {
    const fs::path program = room_ / ("tests_" + flavour);
    const int code = run(room_, test_command(program, files, room_ / "scratch", lab_.seconds_.at(flavour)));
    if (code == 0) return "";
    if (code == cannot_run) throw std::runtime_error("cannot run tests: see " + (room_ / "log").string());
    if (code == out_of_time || code == 128 + SIGXCPU) return "time limit";
    static const std::regex test("([a-z0-9_]+_test)\\.cpp:[0-9]+: FAILED");
    const std::string log = read_text(room_ / "log");
    std::smatch match;
    return fmt::format("{} ({})", std::regex_search(log, match, test) ? match[1].str() : fmt::format("status {}", code),
                       flavour);
  }

  /// Whether what -O1 tells apart is the same with -O3.
  bool same_when_optimized() {
    for (const Unit& unit : lab_.units_) {
      if (unit.source.starts_with("tests/") || !lab_.includes(unit.source, fault_.file)) continue;
      if (!compile(unit, "-O3", true)) return false;
      const std::string faulty = read_text(object(unit));
      if (!compile(unit, "-O3", false) || read_text(object(unit)) != faulty) return false;
    }
    return true;
  }

  const Laboratory& lab_;
  const Fault& fault_;
  const fs::path room_;
  std::map<std::string, std::vector<const Unit*>> compiled_;  // by flavour
  std::map<std::string, bool> changes_;                       // by flavour: whether an object has become another
};

Result Laboratory::try_fault(const Fault& fault, const fs::path& room) const {
  return Trial(*this, fault, room).run_all();
}

}  // namespace qisa::mutation
