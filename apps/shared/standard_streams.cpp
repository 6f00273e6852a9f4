#include "apps/shared/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>

#include "tensor/error.hpp"
#include "tensor/files/descriptor.hpp"

namespace qisa {

void open_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const bool closed = ::fcntl(number, F_GETFD) < 0 && errno == EBADF;
    // Opening takes the lowest number that is free: this one, as those below it are open.
    if (closed) uninterrupted([&] { return ::open("/dev/null", number == STDIN_FILENO ? O_RDONLY : O_WRONLY); });
  }
}

void flush_output() {
  const bool flushed = std::fflush(stdout) == 0;
  require(flushed, "cannot write to the standard output: {}", std::generic_category().message(errno));
}

void complain(const std::string& text) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is no reason to end
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = uninterrupted([&] { return ::write(STDERR_FILENO, text.data() + done, text.size() - done); });
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  if (before != SIG_ERR) std::signal(SIGPIPE, before);
}

}  // namespace qisa
