#include "tensor/files/descriptor.hpp"

#include <unistd.h>

#include <system_error>
#include <utility>

#include "tensor/error.hpp"

namespace qisa {

namespace fs = std::filesystem;

void check_system(bool succeeded, const fs::path& path, const char* step) {
  const int error = errno;
  require(succeeded, "cannot write {}: {}: {}", path.string(), step, std::generic_category().message(error));
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

void Descriptor::write(std::span<const std::byte> bytes, const fs::path& path) const {
  while (!bytes.empty()) {
    const ssize_t written = uninterrupted([&] { return ::write(number_, bytes.data(), bytes.size()); });
    check_system(written >= 0, path, "writing");
    bytes = bytes.subspan(written);
  }
}

void Descriptor::append(std::string_view text, const fs::path& path) const {
  const off_t end = ::lseek(number_, 0, SEEK_END);
  check_system(end >= 0, path, "finding its end");
  try {
    write(std::as_bytes(std::span(text)), path);
  } catch (const Error&) {
    // If even this fails, a torn line stays at the end, which readers of a log must expect after a power cut.
    [[maybe_unused]] const int result = ::ftruncate(number_, end);
    throw;
  }
}

bool Descriptor::flush() const {
  return uninterrupted([&] { return ::fsync(number_); }) == 0;
}

bool Descriptor::close() {
  // A signal does not matter: the descriptor is then closed all the same, and its content was flushed.
  return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR;
}

}  // namespace qisa
