// POSIX calls only: the standard library can neither flush to the disk nor say why a write failed.
#include "tensor/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "tensor/error.hpp"

namespace qisa {
namespace {

namespace fs = std::filesystem;

/// The result of a system call, repeated for as long as signals interrupt it.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Throws errno's meaning unless the system call that is described by `step` has succeeded.
void check_system(bool succeeded, const fs::path& path, const char* step) {
  const int error = errno;
  check(succeeded, "cannot write {}: {}: {}", path.string(), step, std::generic_category().message(error));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }
  /// Whether closing succeeds: some network file systems report a failed write only here. A signal
  /// does not matter, as the descriptor is then closed all the same and its content was flushed.
  bool close() { return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR; }

 private:
  int number_;
};

/// A new file beside `path`, removed at the end unless it has taken the place of `path`.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& path) : path_(path), descriptor_(create()) {
    check_system(descriptor_.number() >= 0, path_, "creating a temporary file beside it");
  }
  ~TemporaryFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = uninterrupted([&] { return ::write(descriptor_.number(), bytes.data(), bytes.size()); });
      check_system(written >= 0, path_, "writing");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void replace_target() {
    check_system(uninterrupted([&] { return ::fsync(descriptor_.number()); }) == 0, path_, "flushing");
    check_system(descriptor_.close(), path_, "closing");
    check_system(::rename(temporary_.c_str(), path_.c_str()) == 0, path_, "renaming the temporary file");
    temporary_.clear();
  }

 private:
  /// Opens a file with a name that no other thread or process uses.
  int create() {
    static std::atomic<unsigned> count = 0;
    int number = -1;
    do {
      temporary_ = fmt::format("{}.{}-{}.tmp", path_.string(), ::getpid(), count++);
      number = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (number < 0 && (errno == EEXIST || errno == EINTR));
    return number;
  }

  fs::path path_;
  std::string temporary_;
  Descriptor descriptor_;
};

}  // namespace

void write_atomically(const fs::path& path, std::span<const std::span<const std::byte>> pieces) {
  std::error_code unknown;
  const fs::file_status target = fs::status(path, unknown);
  check(!fs::exists(target) || fs::is_regular_file(target), "cannot write {}: it is {}, not a file", path.string(),
        fs::is_directory(target) ? "a folder" : "a device");

  const fs::path folder_path = path.has_parent_path() ? path.parent_path() : ".";
  const Descriptor folder(
      uninterrupted([&] { return ::open(folder_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  check_system(folder.number() >= 0, path, "opening its folder");

  TemporaryFile file(path);
  for (const std::span<const std::byte> piece : pieces) file.write(piece);
  file.replace_target();

  const int flushed = uninterrupted([&] { return ::fsync(folder.number()); });
  check_system(flushed == 0 || errno == EINVAL, path,  // EINVAL: this file system flushes no folders
               "the file is new, but flushing its folder failed");
}

}  // namespace qisa
