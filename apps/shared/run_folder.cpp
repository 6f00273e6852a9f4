#include "apps/shared/run_folder.hpp"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/file.h>

#include <array>
#include <charconv>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "tensor/error.hpp"
#include "tensor/files/atomic_file.hpp"

namespace qisa {
namespace {

namespace fs = std::filesystem;

/// Makes the folder, and those that it lies in. Throws when it is not there after that.
void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  require(fs::is_directory(folder, error), "{}: cannot make this folder: {}", folder.string(),
          error ? error.message() : "a file is in the way");
}

/// The first of runs/NAME-1, runs/NAME-2, … that can be made: each is made by one process only, however many try.
fs::path make_numbered_folder(const std::string& name) {
  make_folder("runs");
  for (int number = 1;; ++number) {
    fs::path path = fs::path("runs") / fmt::format("{}-{}", name, number);
    std::error_code error;
    if (fs::create_directory(path, error)) return path;
    require(fs::exists(fs::symlink_status(path)), "{}: cannot make this folder: {}", path.string(), error.message());
  }
}

void replace_file(const fs::path& path, const std::string& content) {
  write_atomically(path, std::array{std::as_bytes(std::span(content))});
}

struct Log {
  std::string lines;
  double seconds = 0;  // elapsed_s of the last one
};

/// The steps of a log up to one of them; a torn last line, and those of the beginning and the end, are left out.
Log log_until(const fs::path& path, std::int64_t step) {
  Log kept;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    const auto number = [&json](const char* name, auto otherwise) {
      const auto found = json.find(name);
      return found != json.end() && found->is_number() ? found->get<decltype(otherwise)>() : otherwise;
    };
    if (!json.is_object() || json.contains("event") || number("step", step + 1) > step) continue;
    kept.lines += line + '\n';
    kept.seconds = number("elapsed_s", kept.seconds);
  }
  return kept;
}

/// The first line of a log: every field that any line has, so that readers that look at the first lines only know
/// them all.
std::string first_line(const std::string& resolved) {
  nlohmann::ordered_json json = {{"event", "settings"}};
  for (const char* name : {"step", "loss", "learning_rate", "gradient_norm", "val_loss", "full_val_loss",
                           "tokens_per_second", "elapsed_s"}) {
    json[name] = nullptr;
  }
  json["settings"] = nlohmann::ordered_json::parse(resolved);
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

/// The folder in `runs` in which one of the files `names` was written last; empty if there is none.
fs::path newest_with(const fs::path& runs, std::initializer_list<const char*> names) {
  fs::path newest;
  fs::file_time_type newest_time;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    for (const char* name : names) {
      const auto time = fs::last_write_time(entry.path() / name, error);
      if (error || (!newest.empty() && time <= newest_time)) continue;
      newest = entry.path();
      newest_time = time;
    }
  }
  return newest;
}

/// The numbered checkpoints in a folder by their step.
std::map<std::int64_t, fs::path> numbered_checkpoints(const RunFolder& folder) {
  std::map<std::int64_t, fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.path(), ignored)) {
    std::int64_t step = 0;
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("step-")) continue;
    std::from_chars(name.data() + 5, name.data() + name.size(), step);
    if (folder.numbered(step).filename() == name) found[step] = entry.path();
  }
  return found;
}

}  // namespace

RunFolder::RunFolder(fs::path path, bool is_new)
    : path_(std::move(path)),
      is_new_(is_new),
      lock_(uninterrupted([&] { return ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })) {
  require(lock_.number() >= 0, "{}: cannot open this folder: {}", path_.string(),
          std::generic_category().message(errno));
  const bool locked = uninterrupted([&] { return ::flock(lock_.number(), LOCK_EX | LOCK_NB); }) == 0;
  require(locked || errno != EWOULDBLOCK, "{}: another process trains in this folder; give another --out_dir",
          path_.string());
  require(locked, "{}: cannot lock this folder: {}", path_.string(), std::generic_category().message(errno));
}

RunFolder RunFolder::create(const std::string& path, const std::string& name, bool overwrite) {
  if (!path.empty()) make_folder(path);
  RunFolder folder(path.empty() ? make_numbered_folder(name) : fs::path(path), true);
  const std::vector<std::string> files = folder.files_of_a_run();
  require(
      files.empty() || overwrite,
      "{0}: a run is here already: {1}; go on with it by --resume {0}, or give --overwrite to replace it, or another "
      "--out_dir",
      path, fmt::join(files, ", "));
  return folder;
}

RunFolder RunFolder::reopen(const std::string& path) { return RunFolder(path, false); }

std::vector<std::string> RunFolder::files_of_a_run() const {
  std::vector<std::string> names;
  for (const char* name : {"latest.safetensors", "best.safetensors", "config.toml", "log.jsonl"}) {
    if (fs::exists(fs::symlink_status(path_ / name))) names.emplace_back(name);
  }
  for (const auto& [step, file] : numbered_checkpoints(*this)) names.push_back(file.filename().string());
  return names;
}

void RunFolder::start(const std::string& config, const std::string& resolved, std::int64_t step) {
  const fs::path config_path = path_ / "config.toml";
  for (const fs::path& file : {latest(), best(), config_path, log_path()}) check_replaceable(file);
  remove_leftovers(path_);
  if (is_new_) {
    for (const std::string& name : files_of_a_run()) fs::remove(path_ / name);
  }
  for (const auto& [number, file] : numbered_checkpoints(*this)) {
    if (number > step) fs::remove(file);
  }
  replace_file(config_path, config);  // from now on, it is a run that can be resumed
  const Log kept = log_until(log_path(), step);
  seconds_before_ = kept.seconds;
  replace_file(log_path(), first_line(resolved) + kept.lines);
  log_ = Descriptor(uninterrupted([&] { return ::open(log_path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC); }));
  check_system(log_.number() >= 0, log_path(), "opening");
}

fs::path RunFolder::numbered(std::int64_t step) const { return path_ / fmt::format("step-{:06}.safetensors", step); }

std::optional<fs::path> RunFolder::newest_checkpoint() const {
  if (fs::exists(latest())) return latest();
  const auto steps = numbered_checkpoints(*this);
  if (!steps.empty()) return steps.rbegin()->second;
  if (fs::exists(best())) return best();
  return {};
}

void RunFolder::keep_newest(std::int64_t count) const {
  auto steps = numbered_checkpoints(*this);
  while (std::ssize(steps) > count) {
    fs::remove(steps.begin()->second);
    steps.erase(steps.begin());
  }
}

bool RunFolder::is_done() const {
  std::ifstream file(log_path());
  std::string last;
  for (std::string line; std::getline(file, line);) last = line;
  const auto json = nlohmann::json::parse(last, nullptr, false);
  return json.is_object() && json.contains("event");
}

void RunFolder::flush_log() const { check_system(log_.flush(), log_path(), "flushing"); }

void RunFolder::log(const LogEntry& entry) {
  const auto optional = [](const auto& value) { return value ? nlohmann::ordered_json(*value) : nullptr; };
  nlohmann::ordered_json json = {{"step", entry.step},
                                 {"loss", entry.loss},
                                 {"learning_rate", entry.learning_rate},
                                 {"gradient_norm", entry.gradient_norm}};
  if (entry.val_loss) json["val_loss"] = *entry.val_loss;
  json["tokens_per_second"] = optional(entry.tokens_per_second);
  json["elapsed_s"] = entry.elapsed_s;
  log_.append(json.dump() + '\n', log_path());
}

void RunFolder::log_done(std::int64_t step, double full_val_loss, double elapsed_s) {
  const nlohmann::ordered_json json = {
      {"event", "done"}, {"step", step}, {"full_val_loss", full_val_loss}, {"elapsed_s", elapsed_s}};
  log_.append(json.dump() + '\n', log_path());
}

fs::path newest_run(const fs::path& runs) {
  const fs::path newest = newest_with(runs, {"latest.safetensors"});
  require(!newest.empty(), "there is no run with a checkpoint in {}/; train a model first (`make train`)",
          runs.string());
  return newest;
}

fs::path newest_resumable_run(const fs::path& runs) {
  const fs::path newest = newest_with(runs, {"latest.safetensors", "config.toml"});
  require(!newest.empty(), "there is no run in {}/ to resume; train a model first (`make train`)", runs.string());
  return newest;
}

fs::path find_checkpoint(const std::string& given) {
  const fs::path path = given.empty() ? newest_run("runs") : fs::path(given);
  if (!fs::is_directory(path)) return path;
  const fs::path latest = path / "latest.safetensors", best = path / "best.safetensors";
  return !fs::exists(latest) && fs::exists(best) ? best : latest;
}

std::string why_this_checkpoint(const std::string& given, const fs::path& found) {
  if (found == fs::path(given)) return "";
  const std::string which = given.empty() ? "the newest run's" : "this run's";
  if (found.filename() != "latest.safetensors") return fmt::format(": {} best; it has no latest.safetensors", which);
  const fs::path best = found.parent_path() / "best.safetensors";
  return fmt::format(": {} last{}", which,
                     fs::exists(best) ? "; " + best.string() + " has the smallest validation loss" : "");
}

}  // namespace qisa
