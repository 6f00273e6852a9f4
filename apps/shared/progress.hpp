// What a person sees while a model trains: one live line on a terminal, plain lines elsewhere.
#pragma once

#include <mutex>
#include <string>

#include "tensor/real.hpp"

namespace qisa {

/// May be used by several threads at once. What stdout does not take is dropped, after one word on stderr: a run
/// goes on without its reader.
class Progress {
 public:
  /// Progress of `total` steps on stdout. The live line is used when stdout is a terminal; colour
  /// too, unless the environment variable NO_COLOR is set.
  explicit Progress(Index total);
  ~Progress();  // the live line goes

  /// Draws the live line, before the first step to come. Like all that draws, it does nothing elsewhere.
  void begin(Index steps_done);
  /// Redraws the live line.
  void update(Index step, double loss, double tokens_per_second);
  /// Redraws it while an evaluation has done so much.
  void evaluating(Index done, Index all);
  /// Redraws it as the window has another width.
  void resized();
  /// A line to keep, on either kind of output, above the live line.
  void line(const std::string& text);
  /// A line to keep at the end, or when the end is near: the live line goes. It never waits: if another thread waits
  /// for stdout, or stdout would, the line is dropped.
  void last_line(const std::string& text);
  /// The live line goes.
  void end();
  bool is_terminal() const { return terminal_; }

 private:
  std::string content() const;
  std::string drawing();
  void draw_sometimes(bool now);
  void write(const std::string& text);

  std::mutex mutex_;
  Index total_, first_ = 0, step_ = 0, evaluated_ = 0, to_evaluate_ = 0;
  double loss_ = 0, speed_ = 0, started_ = 0;
  double drawn_ = 0;  // seconds at the last drawing
  bool terminal_, colour_, live_ = false, lost_ = false;
};

/// Seconds since some fixed moment.
double seconds_now();

/// Measures how fast training goes since the last restart.
class StepClock {
 public:
  /// `before`: seconds that the run took in earlier lives.
  StepClock(Index first_step, Index tokens_a_step, double before)
      : step_(first_step), tokens_(tokens_a_step), begun_(seconds_now() - before), since_(seconds_now()) {}
  double tokens_per_second(Index step) const {
    return static_cast<double>((step - step_) * tokens_) / (seconds_now() - since_);
  }
  void restart(Index step) {
    step_ = step;
    since_ = seconds_now();
  }
  /// Seconds that the run took so far.
  double elapsed() const { return seconds_now() - begun_; }

 private:
  Index step_, tokens_;
  double begun_, since_;
};

/// "45 s", "3 min 20 s", "2 h 5 min".
std::string duration(double seconds);

}  // namespace qisa
