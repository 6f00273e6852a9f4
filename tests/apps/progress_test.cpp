// What a person sees while a model trains: plain lines in a file, one live line on a terminal.
#include "apps/shared/progress.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>

#include "nn/text/utf8.hpp"
#include "tests/apps/pattern.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;

namespace progress_test {

bool contains(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

/// A run so long that the live line is redrawn until it is stopped.
Outcome stopped_on_terminal(int width, const std::string& no_colour) {
  const Workplace place;
  Surroundings around;
  around.terminal_width = width;
  around.environment = {{"NO_COLOR", no_colour}};
  around.signal = SIGINT;
  around.signal_after = "\x1b[K\r";  // the second drawing
  const Outcome outcome = place.train_tiny({{"max_iters", "100000000"}, {"eval_interval", "100000000"}}, around);
  REQUIRE(outcome.exit_code == 130);
  return outcome;
}

/// What stays on the screen: each carriage return begins its line anew, escape codes are not seen.
std::vector<std::string> screen(const std::string& output) {
  const std::string seen = Pattern("\x1b\\[[0-9;]*[A-Za-z]").replace(output, "");
  std::vector<std::string> lines = lines_of(Pattern("\r+\n").replace(seen, "\n"));
  for (std::string& line : lines) line = line.substr(line.rfind('\r') + 1);
  return lines;
}

TEST_CASE("Without a terminal there are plain lines only, one each log interval") {
  const Workplace place;
  const Outcome outcome = place.train_tiny({{"log_interval", "3"}, {"eval_interval", "10"}});
  require_success(outcome);
  CHECK(outcome.out.find_first_of("\r\x1b\b") == std::string::npos);
  std::vector<int> steps, evaluations;
  const Pattern pattern("^step +([0-9]+)  loss [0-9]+\\.[0-9]+(  validation [0-9]+\\.[0-9]+)?  [0-9]+ tokens/s$");
  for (const std::string& line : lines_of(outcome.out)) {
    if (!line.starts_with("step")) continue;
    INFO(line);
    const std::vector<Groups> match = pattern.matches(line);
    REQUIRE(match.size() == 1);
    steps.push_back(std::stoi(match[0][1]));
    if (!match[0][2].empty()) evaluations.push_back(steps.back());
  }
  CHECK(steps == std::vector{3, 6, 9, 10, 12, 15, 18, 20});
  CHECK(evaluations == std::vector{10, 20});
  CHECK(lines_of(outcome.out).back().starts_with("done in "));
}

TEST_CASE("On a terminal a live line shows a bar, step, loss, speed and time left") {
  const std::string out = stopped_on_terminal(100, "").out;
  const Pattern live(
      "\r\x1b\\[36m(█|░)+\x1b\\[0m "
      "([0-9]+)/100000000  loss [0-9]+\\.[0-9]+  [0-9]+ tokens/s  [0-9]+ (s|min|h)[^\r\n]* left");
  int last_step = 0;
  for (const Groups& match : live.matches(out)) {
    CHECK(std::stoi(match[2]) >= last_step);
    last_step = std::stoi(match[2]);
  }
  CHECK(last_step > 1);
}

TEST_CASE("On a terminal a long text is seen to be read, and the line is gone when it is") {
  const Workplace place;
  std::string text;
  while (text.size() < 40'000'000) text += "Long is the text and long the way through it.\n";
  std::ofstream(place.path / "long.txt") << text;
  Surroundings around;
  around.terminal_width = 100;
  const Outcome outcome = place.train_tiny({{"data", "long.txt"}, {"max_iters", "1"}, {"eval_iters", "1"}}, around);
  require_success(outcome);
  CHECK(contains(outcome.out, "\rreading long.txt, 41 %"));
  CHECK(contains(outcome.out, "\rreading long.txt, 83 %\r\x1b[K"));
  CHECK(screen(outcome.out).front().starts_with("data "));
}

TEST_CASE("The live line fits the terminal") {
  const int width = GENERATE(100, 70, 40);
  int live_lines = 0;
  std::string out = Pattern("\x1b\\[[0-9;]*[A-Za-z]").replace(stopped_on_terminal(width, "").out, "");
  std::replace(out.begin(), out.end(), '\r', '\n');
  for (const std::string& line : lines_of(out)) {
    if (!contains(line, "/100000000")) continue;
    ++live_lines;
    INFO(line);
    CHECK(std::ssize(decode_utf8(line)) < width);
  }
  CHECK(live_lines >= 2);
}

TEST_CASE("With NO_COLOR the live line has no colours") {
  const Pattern colour("\x1b\\[[0-9;]*m");
  const std::string plain = stopped_on_terminal(100, "1").out;
  CHECK(contains(plain, "\r█") != contains(plain, "\r░"));
  CHECK_FALSE(colour.is_in(plain));
  CHECK(colour.is_in(stopped_on_terminal(100, "").out));
}

TEST_CASE("On a terminal evaluations and the end stay as whole lines above the live line") {
  const Workplace place;
  Surroundings around;
  around.terminal_width = 100;
  const Outcome outcome =
      place.train_tiny({{"eval_interval", "10"}, {"log_interval", "1"}, {"out_dir", "out"}}, around);
  REQUIRE(outcome.exit_code == 0);
  std::vector<std::string> steps, done;
  for (const std::string& line : screen(outcome.out)) {
    if (contains(line, "validation ")) (line.starts_with("step") ? steps : done).push_back(line);
  }
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].starts_with("step     10  loss "));
  CHECK(steps[1].starts_with("step     20  loss "));
  REQUIRE(done.size() == 1);
  CHECK(done[0].starts_with("done in "));
  CHECK(done[0].ends_with("saved out/latest.safetensors"));
  CHECK(outcome.out.ends_with('\n'));
}

TEST_CASE("The live line is there before the first step, and moves while a model is evaluated") {
  const Workplace place;
  Surroundings around;
  around.terminal_width = 60;
  around.signal = SIGTERM;
  around.signal_after = " 0/9";
  CHECK(place.train_tiny({{"max_iters", "9"}, {"batch_size", "16777216"}}, around).exit_code == 143);

  std::string text;
  for (int i = 0; i < 300; ++i) text += Workplace::verse();
  const Workplace larger(text);
  around.signal = 0;
  const Outcome outcome = larger.train_tiny({{"max_iters", "2"}, {"eval_interval", "1"}}, around);
  REQUIRE(outcome.exit_code == 0);
  CHECK(Pattern(" 1/2  evaluating, [0-9]+ %").is_in(outcome.out));
}

TEST_CASE("The live line is gone when the run has ended, or an error ends it") {
  const Workplace place;
  Surroundings around;
  around.terminal_width = 100;
  const Outcome outcome = place.train_tiny({{"out_dir", "out"}}, around);
  REQUIRE(outcome.exit_code == 0);
  CHECK(screen(outcome.out).back().starts_with("done in "));
  const std::size_t last_bar = std::max(outcome.out.rfind("█") + 1, outcome.out.rfind("░") + 1);
  REQUIRE(last_bar > 1);
  CHECK(contains(outcome.out.substr(last_bar), "\r\x1b[K"));

  const Outcome broken = place.train_tiny({{"learning_rate", "1e38"}, {"warmup_iters", "0"}}, around);
  REQUIRE(broken.exit_code == 1);
  CHECK(broken.out.ends_with("\r\x1b[K"));
}

TEST_CASE("The live line is drawn again when the window becomes narrower, even during a long step") {
  const Workplace place;
  Surroundings around;
  around.terminal_width = 100;
  around.resized_to = 20;
  around.signal = SIGTERM;
  around.signal_after = " 0/9";
  const Outcome outcome = place.train_tiny({{"max_iters", "9"}, {"batch_size", "16777216"}}, around);
  REQUIRE(outcome.exit_code == 143);
  std::vector<std::ptrdiff_t> widths;
  std::string out = Pattern("\x1b\\[[0-9;]*[A-Za-z]").replace(outcome.out, "");
  std::replace(out.begin(), out.end(), '\r', '\n');
  for (const std::string& line : lines_of(out)) {
    if (contains(line, " 0/9")) widths.push_back(std::ssize(decode_utf8(line)));
  }
  REQUIRE(widths.size() >= 2);
  CHECK(widths.front() > 20);
  CHECK(widths.back() < 20);
}

TEST_CASE("Durations are told in the two units that matter") {
  CHECK(duration(0) == "0 s");
  CHECK(duration(45.2) == "45 s");
  CHECK(duration(59.7) == "1 min 0 s");
  CHECK(duration(200) == "3 min 20 s");
  CHECK(duration(3600) == "1 h 0 min");
  CHECK(duration(7500) == "2 h 5 min");
}

}  // namespace progress_test
