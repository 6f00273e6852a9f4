#include "tensor/files/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "tensor/error.hpp"
#include "tensor/files/descriptor.hpp"

namespace qisa {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".tmp";

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

  void write(std::span<const std::byte> bytes) { descriptor_.write(bytes, path_); }

  void replace_target() {
    check_system(descriptor_.flush(), path_, "flushing");
    check_system(descriptor_.close(), path_, "closing");
    check_system(::rename(temporary_.c_str(), path_.c_str()) == 0, path_, "renaming the temporary file");
    temporary_.clear();
  }

 private:
  /// Opens a file with a name that no other thread or process uses.
  Descriptor create() {
    static std::atomic<unsigned> count = 0;
    int number = -1;
    do {
      temporary_ = fmt::format("{}.{}-{}{}", path_.string(), ::getpid(), count++, ending);
      number = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (number < 0 && (errno == EEXIST || errno == EINTR));
    return Descriptor(number);
  }

  fs::path path_;
  std::string temporary_;
  Descriptor descriptor_;
};

/// Whether a file's name is that of a temporary file: TARGET.PROCESS-COUNT.tmp.
bool is_temporary(std::string_view name) {
  if (!name.ends_with(ending)) return false;
  name.remove_suffix(ending.size());
  const std::size_t dot = name.rfind('.'), dash = name.rfind('-');
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return dot != std::string_view::npos && dot > 0 && dash != std::string_view::npos && dash > dot &&
         is_number(name.substr(dot + 1, dash - dot - 1)) && is_number(name.substr(dash + 1));
}

}  // namespace

void write_atomically(const fs::path& path, std::span<const std::span<const std::byte>> pieces) {
  check_replaceable(path);
  const Descriptor folder = open_folder_of(path);
  TemporaryFile file(path);
  for (const std::span<const std::byte> piece : pieces) file.write(piece);
  file.replace_target();
  flush_folder(folder, path, "the file is new, but flushing its folder failed");
}

void check_replaceable(const fs::path& path) {
  std::error_code unknown;
  const fs::file_status target = fs::status(path, unknown);
  require(!fs::exists(target) || fs::is_regular_file(target), "cannot write {}: it is {}, not a file", path.string(),
          fs::is_directory(target) ? "a folder" : "a device");
}

void remove_leftovers(const fs::path& folder) {
  std::error_code ignored;  // a file that stays does no harm
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (is_temporary(entry.path().filename().string())) fs::remove(entry.path(), ignored);
  }
}

}  // namespace qisa
