#include "apps/run_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "tensor/atomic_file.hpp"
#include "tensor/error.hpp"

namespace qisa {
namespace {

namespace fs = std::filesystem;

fs::path unused_folder(const std::string& name) {
  for (int number = 1;; ++number) {
    fs::path path = fs::path("runs") / fmt::format("{}-{}", name, number);
    if (!fs::exists(path)) return path;
  }
}

void replace_file(const fs::path& path, const std::string& content) {
  write_atomically(path, std::array{std::as_bytes(std::span(content))});
}

/// The lines of a log up to a step; a torn last line and the line of the end are left out.
std::string log_until(const fs::path& path, std::int64_t step) {
  std::string kept;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && !json.contains("event") && json.value("step", step + 1) <= step) kept += line + '\n';
  }
  return kept;
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  fs::create_directories(path_, error);
  check(fs::is_directory(path_, error), "{}: cannot make this folder: {}", path_.string(),
        error ? error.message() : "a file is in the way");
  lock_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(lock_ >= 0 && flock(lock_, LOCK_EX | LOCK_NB) == 0,
        "{}: another process trains in this folder; give another --out_dir", path_.string());
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)), log_(std::move(other.log_)) {}

RunFolder::~RunFolder() {
  if (lock_ >= 0) close(lock_);  // also unlocks
}

void RunFolder::start(const std::string& config, const std::string& earlier_log) {
  replace_file(path_ / "config.toml", config);
  replace_file(path_ / "log.jsonl", earlier_log);
  log_.open(path_ / "log.jsonl", std::ios::app);
  check(log_.is_open(), "{}: cannot write the log", (path_ / "log.jsonl").string());
}

RunFolder RunFolder::create(const std::string& path, const std::string& name, const std::string& config) {
  RunFolder folder(path.empty() ? unused_folder(name) : fs::path(path));
  folder.start(config, "");
  return folder;
}

RunFolder RunFolder::reopen(const std::string& path, std::int64_t step, const std::string& config) {
  RunFolder folder{fs::path(path)};
  folder.start(config, log_until(folder.path_ / "log.jsonl", step));
  return folder;
}

void RunFolder::append(const std::string& line) {
  log_ << line << std::endl;
  check(log_.good(), "{}: cannot write the log; is the disk full?", (path_ / "log.jsonl").string());
}

void RunFolder::log(const LogEntry& entry) {
  nlohmann::ordered_json json = {{"step", entry.step},
                                 {"loss", entry.loss},
                                 {"learning_rate", entry.learning_rate},
                                 {"tokens_per_second", entry.tokens_per_second},
                                 {"elapsed_s", entry.elapsed_s}};
  if (entry.val_loss) json["val_loss"] = *entry.val_loss;
  append(json.dump());
}

void RunFolder::log_done(std::int64_t step, double val_loss, double elapsed_s) {
  append(nlohmann::ordered_json({{"event", "done"}, {"step", step}, {"val_loss", val_loss}, {"elapsed_s", elapsed_s}})
             .dump());
}

fs::path newest_run(const fs::path& runs) {
  fs::path newest;
  fs::file_time_type newest_time;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    const auto time = fs::last_write_time(entry.path() / "latest.safetensors", error);
    if (!error && (newest.empty() || time > newest_time)) {
      newest = entry.path();
      newest_time = time;
    }
  }
  check(!newest.empty(), "there is no run with a checkpoint in {}/; train a model first (`make train`)", runs.string());
  return newest;
}

fs::path find_checkpoint(const std::string& given) {
  const fs::path path = given.empty() ? newest_run("runs") : fs::path(given);
  return fs::is_directory(path) ? path / "latest.safetensors" : path;
}

}  // namespace qisa
