#include "apps/shared/interrupt.hpp"

#include <unistd.h>

#include <csignal>

namespace qisa {
namespace {

volatile std::sig_atomic_t received = 0;

extern "C" void note(int signal) {
  if (received != 0) _exit(128 + signal);
  received = signal;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int interrupted() { return received; }

}  // namespace qisa
