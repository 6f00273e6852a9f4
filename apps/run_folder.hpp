// The folder of one training run: latest.safetensors, best.safetensors, config.toml, log.jsonl.
#pragma once

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

class RunFolder {
 public:
  /// Makes the folder, or the first of runs/NAME-1, runs/NAME-2, … that does not exist if `path` is
  /// empty. Writes config.toml and begins an empty log. Throws when that fails.
  RunFolder(const std::string& path, const std::string& name, const std::string& config);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path latest() const { return path_ / "latest.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.safetensors"; }

  /// Appends a line to log.jsonl. Throws when it cannot be written.
  void log(const LogEntry& entry);
  /// Appends the last line: {"event": "done", …}.
  void log_done(std::int64_t step, double val_loss, double elapsed_s);

 private:
  void append(const std::string& line);

  std::filesystem::path path_;
  std::ofstream log_;
};

/// The checkpoint that was written last in the folders within `runs`, if there is any.
std::optional<std::filesystem::path> newest_checkpoint(const std::filesystem::path& runs);

}  // namespace qisa
