#include "apps/shared/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace qisa {
namespace {

constexpr double seconds_between_drawings = 0.1;

Index terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return no_colour == nullptr || *no_colour == '\0';
}

}  // namespace

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string duration(double seconds) {
  const Index whole = std::lround(std::max(0.0, seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(Index total) : total_(total), terminal_(isatty(STDOUT_FILENO) == 1), colour_(wants_colour()) {}

Progress::~Progress() {
  if (live_) std::fputc('\n', stdout);
  std::fflush(stdout);
}

void Progress::update(Index step, double loss, double tokens_per_second) {
  if (!terminal_) return;
  const double now = seconds_now();
  if (first_ < 0) {
    first_ = step;
    started_ = now;
  }
  step_ = step;
  loss_ = loss;
  speed_ = tokens_per_second;
  if (now - drawn_ < seconds_between_drawings && step < total_) return;
  drawn_ = now;
  draw();
}

void Progress::draw() {
  const double spent = seconds_now() - started_;
  const auto done = static_cast<double>(step_ - first_), left = static_cast<double>(total_ - step_);
  const std::string time = done > 0 ? duration(spent / done * left) + " left" : "";
  std::string text = fmt::format(" {}/{}  loss {:.3f}  {:.0f} tokens/s  {}", step_, total_, loss_, speed_, time);
  text.resize(std::min(text.size(), static_cast<std::size_t>(terminal_width() - 1)));  // or the line would wrap
  const Index room = std::clamp<Index>(terminal_width() - static_cast<Index>(text.size()) - 1, 0, 30);
  const Index filled = room * step_ / std::max<Index>(total_, 1);
  std::string bar;
  for (Index i = 0; i < room; ++i) bar += i < filled ? "█" : "░";
  if (colour_) bar = "\x1b[36m" + bar + "\x1b[0m";
  fmt::print("\r{}{}\x1b[K", bar, text);
  std::fflush(stdout);
  live_ = true;
}

void Progress::line(const std::string& text) {
  fmt::print("{}{}\n", live_ ? "\r\x1b[K" : "", text);
  if (live_) draw();
  std::fflush(stdout);
}

}  // namespace qisa
