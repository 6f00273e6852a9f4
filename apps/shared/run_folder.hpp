// The folder of one training run: latest.safetensors, best.safetensors, config.toml, log.jsonl, and if they are
// wanted numbered checkpoints, step-000500.safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tensor/files/descriptor.hpp"

namespace qisa {

/// One line of log.jsonl. docs/logs.md says what the fields are.
struct LogEntry {
  std::int64_t step = 0;
  double loss = 0, learning_rate = 0, gradient_norm = 0;
  std::optional<double> val_loss = {}, tokens_per_second = {};
  double elapsed_s = 0;
};

/// One process at a time has a run's folder; another is refused. In it, latest.safetensors is written after all
/// that belongs to its step: what a killed run has beyond it, a resumed one makes again.
class RunFolder {
 public:
  /// For a new run: `path`, made if need be, or the first of runs/NAME-1, runs/NAME-2, … that this process can make
  /// if `path` is empty. Throws when that cannot be, when another process trains in it, or when it holds a run,
  /// unless `overwrite` allows start() to replace that one.
  static RunFolder create(const std::string& path, const std::string& name, bool overwrite);
  /// An earlier run's folder. Throws when there is none, or another process trains in it.
  static RunFolder reopen(const std::string& path);

  /// Makes the folder that of a run with these settings at `step`: writes config.toml and the log's first line, with
  /// the settings as they came out (`resolved`, a JSON object), and removes from the
  /// log and from the numbered checkpoints what is beyond that step; for a new run all that an earlier one left.
  /// Throws when it cannot be written.
  void start(const std::string& config, const std::string& resolved, std::int64_t step);
  /// Seconds that the run took up to the last line that start() left in the log.
  double seconds_before() const { return seconds_before_; }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path latest() const { return path_ / "latest.safetensors"; }
  std::filesystem::path best() const { return path_ / "best.safetensors"; }
  std::filesystem::path numbered(std::int64_t step) const;

  /// The checkpoint to resume from: latest, or what is next to it if that is not there (yet); none if the
  /// run was stopped before it had saved any.
  std::optional<std::filesystem::path> newest_checkpoint() const;
  /// Removes all numbered checkpoints but the `count` newest.
  void keep_newest(std::int64_t count) const;

  /// Appends a line to log.jsonl. Throws when it cannot be written.
  void log(const LogEntry& entry);
  /// Appends the last line: {"event": "done", …}. `full_val_loss` is that on the whole validation text.
  void log_done(std::int64_t step, double full_val_loss, double elapsed_s);
  /// Flushes the log to the disk. Throws when that fails.
  void flush_log() const;
  /// Whether the log ends with the line of log_done().
  bool is_done() const;

 private:
  std::filesystem::path log_path() const { return path_ / "log.jsonl"; }
  RunFolder(std::filesystem::path path, bool is_new);
  /// The names of the files of a run that are here.
  std::vector<std::string> files_of_a_run() const;

  std::filesystem::path path_;
  bool is_new_;
  Descriptor lock_;  // the open folder, locked
  Descriptor log_;
  double seconds_before_ = 0;
};

/// The checkpoint that a person means: a file, the latest one in a run's folder (or the best if that is all there
/// is), or that of the newest run in runs/ if nothing is given. Throws if there is none.
std::filesystem::path find_checkpoint(const std::string& given);

/// Why find_checkpoint(given) is this file, in words that follow its name: ": the newest run's last checkpoint".
std::string why_this_checkpoint(const std::string& given, const std::filesystem::path& found);

/// The folder within `runs` whose latest.safetensors was written last. Throws if there is none.
std::filesystem::path newest_run(const std::filesystem::path& runs);

/// The folder within `runs` of the run that was begun or saved last, even if it has no checkpoint yet. Throws if
/// there is none.
std::filesystem::path newest_resumable_run(const std::filesystem::path& runs);

}  // namespace qisa
