#include "apps/shared/progress.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <system_error>

#include "apps/shared/standard_streams.hpp"
#include "tensor/files/descriptor.hpp"

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

Progress::~Progress() { end(); }

void Progress::begin(Index steps_done) {
  const std::lock_guard lock(mutex_);
  first_ = step_ = steps_done;
  started_ = seconds_now();
  draw_sometimes(true);
}

void Progress::update(Index step, double loss, double tokens_per_second) {
  const std::lock_guard lock(mutex_);
  step_ = step;
  loss_ = loss;
  speed_ = tokens_per_second;
  evaluated_ = to_evaluate_ = 0;
  draw_sometimes(step >= total_);
}

void Progress::evaluating(Index done, Index all) {
  const std::lock_guard lock(mutex_);
  evaluated_ = done;
  to_evaluate_ = all;
  draw_sometimes(false);
}

void Progress::resized() {
  const std::lock_guard lock(mutex_);
  if (live_) draw_sometimes(true);
}

void Progress::line(const std::string& text) {
  const std::lock_guard lock(mutex_);
  write((live_ ? "\r\x1b[K" : "") + text + '\n' + (live_ ? drawing() : ""));
}

void Progress::last_line(const std::string& text) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  for (int tries = 0; !lock && tries < 20; ++tries) {  // a drawing takes no time, unless it waits for its reader
    usleep(1000);
    lock.try_lock();
  }
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  if (!lock || poll(&out, 1, 0) != 1) return;
  write((live_ ? "\r\x1b[K" : "") + text + '\n');
  live_ = false;
}

void Progress::end() {
  const std::lock_guard lock(mutex_);
  if (live_) write("\r\x1b[K");
  live_ = false;
}

std::string Progress::content() const {
  const auto done = static_cast<double>(step_ - first_), left = static_cast<double>(total_ - step_);
  if (to_evaluate_ > 0) return fmt::format(" {}/{}  evaluating, {} %", step_, total_, 100 * evaluated_ / to_evaluate_);
  if (step_ == first_) return fmt::format(" {}/{}", step_, total_);
  return fmt::format(" {}/{}  loss {:.3f}  {:.0f} tokens/s  {} left", step_, total_, loss_, speed_,
                     duration((seconds_now() - started_) / done * left));
}

std::string Progress::drawing() {
  drawn_ = seconds_now();
  live_ = true;
  const Index width = terminal_width();
  std::string text = content();
  text.resize(std::min(text.size(), static_cast<std::size_t>(width - 1)));  // or the line would wrap
  const Index room = std::clamp<Index>(width - static_cast<Index>(text.size()) - 1, 0, 30);
  const Index filled = room * step_ / std::max<Index>(total_, 1);
  std::string bar;
  for (Index i = 0; i < room; ++i) bar += i < filled ? "█" : "░";
  if (colour_) bar = "\x1b[36m" + bar + "\x1b[0m";
  return "\r" + bar + text + "\x1b[K";
}

/// Draws if there is a terminal, and it is `now` or long enough after the last time.
void Progress::draw_sometimes(bool now) {
  if (terminal_ && (now || seconds_now() - drawn_ >= seconds_between_drawings)) write(drawing());
}

void Progress::write(const std::string& text) {
  for (std::size_t done = 0; done < text.size() && !lost_;) {
    const ssize_t count = uninterrupted([&] { return ::write(STDOUT_FILENO, text.data() + done, text.size() - done); });
    if (count > 0) done += static_cast<std::size_t>(count);
    if (count < 0 && errno == EAGAIN) {
      pollfd out{STDOUT_FILENO, POLLOUT, 0};
      poll(&out, 1, -1);
    } else if (count <= 0) {
      lost_ = true;
      complain(fmt::format("note: the standard output takes no more ({}); training goes on, and its log has the rest\n",
                           std::generic_category().message(errno)));
    }
  }
}

}  // namespace qisa
