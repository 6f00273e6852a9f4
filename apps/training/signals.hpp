// Signals while a model trains: a thread waits for them, so that they are answered at once, whatever the others do.
#pragma once

#include <array>
#include <functional>
#include <thread>

#include "tensor/files/descriptor.hpp"

namespace qisa {

/// Watches for SIGINT, SIGTERM and SIGHUP, except those that were ignored when the program began (nohup; a job in
/// the background of a script), and for SIGWINCH. One at a time.
class SignalWatcher {
 public:
  /// `stop` is called with the first signal that asks the program to end, `resized` when the terminal has another
  /// width; both in the thread that watches. What comes while one of them runs waits for it.
  SignalWatcher(std::function<void(int signal)> stop, std::function<void()> resized);
  /// Waits for a call that runs. From then on signals do what they did before.
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void watch();

  std::function<void(int signal)> stop_;
  std::function<void()> resized_;
  Descriptor read_, write_;  // the ends of a pipe: each signal is a byte in it
  std::thread thread_;
};

/// "SIGINT" of 2.
const char* name_of_signal(int signal);

}  // namespace qisa
