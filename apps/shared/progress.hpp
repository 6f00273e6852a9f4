// What a person sees while a model trains: one live line on a terminal, plain lines elsewhere.
#pragma once

#include <string>

#include "tensor/real.hpp"

namespace qisa {

class Progress {
 public:
  /// Progress of `total` steps on stdout. The live line is used when stdout is a terminal; colour
  /// too, unless the environment variable NO_COLOR is set.
  explicit Progress(Index total);
  ~Progress();  // leaves the cursor on a line of its own

  /// Redraws the live line; does nothing elsewhere.
  void update(Index step, double loss, double tokens_per_second);
  /// A line to keep, on either kind of output.
  void line(const std::string& text);
  bool is_terminal() const { return terminal_; }

 private:
  void draw();

  Index total_, first_ = -1, step_ = 0;
  double loss_ = 0, speed_ = 0, started_ = 0;
  double drawn_ = 0;  // seconds at the last drawing
  bool terminal_, colour_, live_ = false;
};

/// Seconds since some fixed moment.
double seconds_now();

/// Measures how fast training goes since the last restart.
class StepClock {
 public:
  StepClock(Index first_step, Index tokens_a_step)
      : step_(first_step), tokens_(tokens_a_step), begun_(seconds_now()), since_(begun_) {}
  double tokens_per_second(Index step) const {
    return static_cast<double>((step - step_) * tokens_) / (seconds_now() - since_);
  }
  void restart(Index step) {
    step_ = step;
    since_ = seconds_now();
  }
  /// Seconds since construction.
  double elapsed() const { return seconds_now() - begun_; }

 private:
  Index step_, tokens_;
  double begun_, since_;
};

/// "45 s", "3 min 20 s", "2 h 5 min".
std::string duration(double seconds);

}  // namespace qisa
