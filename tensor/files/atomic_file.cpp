#include "tensor/files/atomic_file.hpp"

#include <fcntl.h>
#include <regex.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "tensor/error.hpp"
#include "tensor/files/descriptor.hpp"

namespace qisa {
namespace {

namespace fs = std::filesystem;

/// Opens a new file beside `path`, with a name that no other thread or process uses.
Descriptor create_beside(const fs::path& path, std::string& name) {
  static std::atomic<unsigned> count = 0;
  int number = -1;
  do {
    name = fmt::format("{}.{}-{}.tmp", path.string(), ::getpid(), count++);
    number = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (number < 0 && (errno == EEXIST || errno == EINTR));
  return Descriptor(number);
}

/// Whether a file's name is that of a temporary file: TARGET.PROCESS-COUNT.tmp.
bool is_temporary(const std::string& name) {
  regex_t form;  // <regex> takes many seconds to compile
  ::regcomp(&form, ".\\.[0-9]+-[0-9]+\\.tmp$", REG_EXTENDED | REG_NOSUB);
  const bool found = ::regexec(&form, name.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&form);
  return found;
}

}  // namespace

void write_atomically(const fs::path& path, std::span<const std::span<const std::byte>> pieces) {
  check_replaceable(path);
  const fs::path parent = path.has_parent_path() ? path.parent_path() : ".";
  const Descriptor folder(uninterrupted([&] { return ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  check_system(folder.number() >= 0, path, "opening its folder");
  std::string temporary;
  Descriptor file = create_beside(path, temporary);
  check_system(file.number() >= 0, path, "creating a temporary file beside it");
  try {
    for (const std::span<const std::byte> piece : pieces) file.write(piece, path);
    check_system(file.flush(), path, "flushing");
    check_system(file.close(), path, "closing");
    check_system(::rename(temporary.c_str(), path.c_str()) == 0, path, "renaming the temporary file");
  } catch (const Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
  const bool flushed = folder.flush() || errno == EINVAL;  // this file system flushes no folders
  check_system(flushed, path, "the file is new, but flushing its folder failed");
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
