#include "apps/run_folder.hpp"

#include <nlohmann/json.hpp>

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

}  // namespace

RunFolder::RunFolder(const std::string& path, const std::string& name, const std::string& config)
    : path_(path.empty() ? unused_folder(name) : fs::path(path)) {
  std::error_code error;
  fs::create_directories(path_, error);
  check(fs::is_directory(path_), "{}: cannot make this folder: {}", path_.string(),
        error ? error.message() : "a file of that name is in the way");
  write_atomically(path_ / "config.toml", std::array{std::as_bytes(std::span(config))});
  log_.open(path_ / "log.jsonl", std::ios::trunc);
  check(log_.is_open(), "{}: cannot write the log", (path_ / "log.jsonl").string());
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

std::optional<fs::path> newest_checkpoint(const fs::path& runs) {
  std::optional<fs::path> newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs, error)) {
    const fs::path path = entry.path() / "latest.safetensors";
    if (fs::exists(path, error) && (!newest || fs::last_write_time(path) > fs::last_write_time(*newest))) newest = path;
  }
  return newest;
}

}  // namespace qisa
