// An open file or folder, and the system calls on it.
//
// POSIX calls only: the standard library can neither flush to the disk nor say why a write failed.
#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace qisa {

/// The result of a system call, repeated for as long as signals interrupt it.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Throws errno's meaning unless the system call that is described by `step` has succeeded.
void check_system(bool succeeded, const std::filesystem::path& path, const char* step);

/// Owns a file descriptor; negative for none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  int number() const { return number_; }
  /// Writes all bytes. Throws, naming `path`, when they cannot be written; some may have been.
  void write(std::span<const std::byte> bytes, const std::filesystem::path& path) const;
  /// Writes all of the text at the end of the file, or nothing. Throws as write() does.
  void append(std::string_view text, const std::filesystem::path& path) const;
  /// Flushes the content to the disk; false when that fails.
  bool flush() const;
  /// Whether closing succeeds: some network file systems report a failed write only here.
  bool close();

 private:
  int number_;
};

}  // namespace qisa
