// The folder of one training run: latest.safetensors, best.safetensors, config.toml, log.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace qisa {

/// One line of log.jsonl.
struct LogEntry {
  std::int64_t step = 0;
  double loss = 0, learning_rate = 0, tokens_per_second = 0, elapsed_s = 0;
  std::optional<double> val_loss = {};  // on evaluation steps
};

/// One process at a time has a run's folder; another is refused.
class RunFolder {
 public:
  /// A new run in `path`, or in the first of runs/NAME-1, runs/NAME-2, … that does not exist if `path` is
  /// empty. The folder is made if need be; an earlier run's log in it is begun anew.
  /// Throws when it cannot be made or written, or another process trains in it.
  static RunFolder create(const std::string& path, const std::string& name, const std::string& config);
  /// An earlier run at `step`: lines of the log after that step are removed.
  static RunFolder reopen(const std::string& path, std::int64_t step, const std::string& config);
  ~RunFolder();
  RunFolder(RunFolder&& other) noexcept;
  RunFolder& operator=(RunFolder&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path latest() const { return path_ / "latest.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.safetensors"; }

  /// Appends a line to log.jsonl. Throws when it cannot be written.
  void log(const LogEntry& entry);
  /// Appends the last line: {"event": "done", …}.
  void log_done(std::int64_t step, double val_loss, double elapsed_s);

 private:
  explicit RunFolder(std::filesystem::path path);
  void start(const std::string& config, const std::string& earlier_log);
  void append(const std::string& line);

  std::filesystem::path path_;
  int lock_ = -1;  // the open folder, locked
  std::ofstream log_;
};

/// The checkpoint that a person means: a file, the latest one in a run's folder, or that of the newest run
/// in runs/ if nothing is given. Throws if there is none.
std::filesystem::path find_checkpoint(const std::string& given);

/// The folder within `runs` whose latest.safetensors was written last. Throws if there is none.
std::filesystem::path newest_run(const std::filesystem::path& runs);

}  // namespace qisa
