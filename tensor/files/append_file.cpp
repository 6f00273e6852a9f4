#include "tensor/files/append_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "tensor/error.hpp"

namespace qisa {

AppendFile::AppendFile(const std::filesystem::path& path)
    : path_(path), descriptor_(uninterrupted([&] { return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC); })) {
  check_system(descriptor_.number() >= 0, path_, "opening");
}

void AppendFile::append(std::string_view text) {
  const off_t end = ::lseek(descriptor_.number(), 0, SEEK_END);
  check_system(end >= 0, path_, "finding its end");
  try {
    descriptor_.write(std::as_bytes(std::span(text)), path_);
  } catch (const Error&) {
    // If even this fails, a torn line stays at the end, which readers of the log must expect after a power cut.
    [[maybe_unused]] const int result = ::ftruncate(descriptor_.number(), end);
    throw;
  }
}

void AppendFile::flush() { check_system(descriptor_.flush(), path_, "flushing"); }

}  // namespace qisa
