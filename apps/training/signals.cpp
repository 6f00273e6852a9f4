#include "apps/training/signals.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "tensor/error.hpp"

namespace qisa {
namespace {

constexpr std::array ending = {SIGINT, SIGTERM, SIGHUP};
constexpr unsigned char quit = 0;  // where signals have their numbers

std::atomic<int> pipe_end = -1;  // where note() writes

extern "C" void note(int signal) {
  const int before = errno;
  const auto byte = static_cast<unsigned char>(signal);
  [[maybe_unused]] const ssize_t written = ::write(pipe_end, &byte, 1);  // if it is full, it has signals enough
  errno = before;
}

/// Whether a signal is ignored.
bool is_ignored(int signal) {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

SignalWatcher::SignalWatcher(std::function<void(int signal)> stop, std::function<void()> resized)
    : stop_(std::move(stop)), resized_(std::move(resized)) {
  int ends[2];
  require(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "cannot make a pipe to wait for signals");
  read_ = Descriptor(ends[0]);
  write_ = Descriptor(ends[1]);
  ::fcntl(ends[0], F_SETFL, 0);  // reading waits
  pipe_end = ends[1];
  thread_ = std::thread([this] { watch(); });
  for (const int signal : ending) {
    if (!is_ignored(signal)) handle(signal, note);
  }
  handle(SIGWINCH, note);
}

SignalWatcher::~SignalWatcher() {
  for (const int signal : ending) {
    if (!is_ignored(signal)) handle(signal, SIG_DFL);
  }
  handle(SIGWINCH, SIG_DFL);
  [[maybe_unused]] const ssize_t written = ::write(write_.number(), &quit, 1);
  thread_.join();
  pipe_end = -1;
}

void SignalWatcher::watch() {
  while (true) {
    unsigned char byte = quit;
    if (uninterrupted([&] { return ::read(read_.number(), &byte, 1); }) != 1 || byte == quit) return;
    byte == SIGWINCH ? resized_() : stop_(byte);
  }
}

const char* name_of_signal(int signal) {
  return signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : signal == SIGHUP ? "SIGHUP" : "a signal";
}

}  // namespace qisa
