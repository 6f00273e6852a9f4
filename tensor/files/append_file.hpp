// A file that grows at its end, by whole pieces: a log.
#pragma once

#include <filesystem>
#include <string_view>

#include "tensor/files/descriptor.hpp"

namespace qisa {

class AppendFile {
 public:
  /// Opens an existing file. Throws when it cannot be opened for writing.
  explicit AppendFile(const std::filesystem::path& path);

  /// Appends the text, all of it or nothing. Throws, naming the file and the system's reason, when it
  /// cannot be written.
  void append(std::string_view text);
  /// Flushes what was appended to the disk. Throws when that fails.
  void flush();

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
};

}  // namespace qisa
