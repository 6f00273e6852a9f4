// Puts random small faults into the libraries, one at a time, and lists those that no test notices. `make mutate`
// copies the working tree, builds the copy and runs this program on it.
#include <fmt/format.h>
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "tests/mutate/laboratory.hpp"

using namespace qisa::mutation;
namespace fs = std::filesystem;

namespace {

struct Options {
  fs::path tree, build, room;
  std::size_t faults = 200, seed = 1, jobs = 1;
  std::string files = "*";
  bool again = false;
};

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("Puts small faults into the libraries and lists those that no test notices.");
  app.add_option("--tree", options.tree, "the sources")->required();
  app.add_option("--build", options.build, "their build")->required();
  app.add_option("--room", options.room, "folder to work in")->required();
  app.add_option("--mutants", options.faults, "faults to try that compile and change the code");
  app.add_option("--seed", options.seed, "of the choice");
  app.add_option("--jobs", options.jobs, "faults tried at a time");
  app.add_option("--files", options.files, "only files whose paths match, as quantum/*");
  app.add_flag("--again", options.again, "only those that survived the last time");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return options;
}

/// Where a fault is and what it makes of its line: what a person reads, and true after other lines have moved.
using Change = std::array<std::string, 3>;

/// Changes in a file, each on three lines and more: the source, its line before, its line after (* for any), and
/// remarks up to an empty line. Lines that begin with # are not read.
std::set<Change> read_changes(const fs::path& path) {
  std::set<Change> changes;
  std::istringstream text(read_text(path));
  std::vector<std::string> block;
  for (std::string line; std::getline(text, line) || !block.empty(); line.clear()) {
    if (line.starts_with('#')) continue;
    if (!line.empty()) {
      block.push_back(line);
    } else if (!block.empty()) {
      if (block.size() < 3)
        throw std::runtime_error(fmt::format("{}: three lines for a fault, not '{}'", path.string(), block[0]));
      changes.insert({block[0], block[1], block[2]});
      block.clear();
    }
  }
  return changes;
}

double percentage(std::size_t part, std::size_t whole) {
  return whole == 0 ? 100 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

class Experiment {
 public:
  explicit Experiment(const Options& options) : options_(options), lab_(options.tree, options.build) {}

  /// Returns whether enough of the faults were noticed.
  bool run() {
    choose();
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < options_.jobs; ++worker)
      threads.emplace_back([this, worker] { work(worker); });
    for (std::thread& thread : threads) thread.join();
    if (!failure_.empty()) throw std::runtime_error(failure_);
    return report();
  }

 private:
  Change change_of(const Fault& fault) const {
    const std::string& text = texts_.at(fault.file);
    return {fault.file, line_at(text, fault.begin), line_at(with_fault(text, fault), fault.begin)};
  }

  /// All faults of the files in question, in random order, those known to change no result left out.
  void choose() {
    const std::set<Change> known = read_changes(options_.tree / "tests/mutate/equivalent.txt");
    const std::set<Change> survivors =
        options_.again ? read_changes(options_.room / "survivors.txt") : std::set<Change>();
    std::set<Change> stale = known;
    for (const char* folder : {"tensor", "autograd", "quantum", "nn"}) {
      for (const auto& entry : fs::recursive_directory_iterator(options_.tree / folder)) {
        const std::string file = entry.path().lexically_relative(options_.tree).string();
        if (!entry.is_regular_file()) continue;
        texts_[file] = read_text(entry.path());
        const bool chosen = ::fnmatch(options_.files.c_str(), file.c_str(), 0) == 0;
        for (const Fault& fault : faults_in(file, texts_[file])) {
          const Change change = change_of(fault), any = {change[0], change[1], "*"};
          const bool is_known = known.contains(change) || known.contains(any);
          stale.erase(change);
          stale.erase(any);
          const bool asked = !options_.again || survivors.contains(change);
          if (chosen && asked && !is_known) faults_.push_back(fault);
        }
      }
    }
    for (const auto& [file, before, after] : stale) {
      fmt::print("mutate: equivalent.txt names a fault that is no more: {}: {} -> {}\n", file, before, after);
    }
    std::sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
      return std::tie(a.file, a.begin, a.length, a.replacement) < std::tie(b.file, b.begin, b.length, b.replacement);
    });
    std::mt19937_64 random(options_.seed);
    for (std::size_t left = faults_.size(); left > 1; --left) std::swap(faults_[left - 1], faults_[random() % left]);
    // One fault at a place.
    std::set<std::pair<std::string, std::size_t>> places;
    if (!options_.again)
      std::erase_if(faults_, [&](const Fault& fault) { return !places.insert({fault.file, fault.begin}).second; });
    fmt::print("mutate: {} places for a fault\n", faults_.size());
    std::fflush(stdout);
  }

  void work(std::size_t worker) {
    try {
      for (;;) {
        std::size_t k = 0;
        {
          const std::lock_guard lock(mutex_);
          if (next_ == faults_.size() || counted_ >= options_.faults || !failure_.empty()) return;
          k = next_++;
        }
        note(faults_[k], lab_.try_fault(faults_[k], options_.room / fmt::format("{}", worker)));
      }
    } catch (const Stopped&) {
      const std::lock_guard lock(mutex_);
      counted_ = options_.faults;
    } catch (const std::exception& error) {
      const std::lock_guard lock(mutex_);
      failure_ = error.what();
    }
  }

  void note(const Fault& fault, const Result& result) {
    const std::lock_guard lock(mutex_);
    const bool killed = result.outcome == Outcome::killed;
    if (!killed && result.outcome != Outcome::survived) return;
    ++counted_;
    const std::string folder = fs::path(fault.file).parent_path().string();
    ++tried_[folder];
    killed_[folder] += killed;
    const auto [file, before, after] = change_of(fault);
    if (!killed) {
      survivors_.push_back(fault);
      list_ += fmt::format("{}\n{}\n{}\n\n", file, before, after);
      write_text(options_.room / "survivors.txt", list_);
    }
    fmt::print("{:4} {:8} {}:{}: {} -> {}{}\n", counted_, killed ? "killed" : "SURVIVED", file,
               line_number(texts_.at(file), fault.begin), before, after, killed ? ", by " + result.by : "");
    std::fflush(stdout);
  }

  bool report() {
    fmt::print("\n{:24} faults  noticed\n", "");
    std::size_t tried = 0, killed = 0;
    for (const auto& [folder, count] : tried_) {
      fmt::print("{:24} {:6} {:7.1f} %\n", folder, count, percentage(killed_[folder], count));
      tried += count;
      killed += killed_[folder];
    }
    const double percent = percentage(killed, tried);
    fmt::print("{:24} {:6} {:7.1f} %\n\n", "all", tried, percent);
    for (const Fault& fault : survivors_) {
      const auto [file, before, after] = change_of(fault);
      fmt::print("survived: {}:{}\n  {}\n  {}\n", file, line_number(texts_.at(file), fault.begin), before, after);
    }
    write_text(options_.room / "survivors.txt", list_);
    return percent >= 95;
  }

  const Options options_;
  const Laboratory lab_;
  std::map<std::string, std::string> texts_;
  std::vector<Fault> faults_, survivors_;
  std::mutex mutex_;
  std::size_t next_ = 0, counted_ = 0;
  std::map<std::string, std::size_t> tried_, killed_;
  std::string list_, failure_;  // list_: the survivors, to try --again
};

}  // namespace

int main(int argc, char** argv) {
  try {
    return Experiment(parse(argc, argv)).run() ? 0 : 1;
  } catch (const Stopped&) {
    return 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "mutate: {}\n", error.what());
    return 1;
  }
}
