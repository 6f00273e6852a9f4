// The programs where stdin, stdout or stderr is closed, full, or has no reader: exit codes stay what they are, and
// what is printed lands in no file.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tensor/files/descriptor.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;

namespace streams_test {

/// The exit code of a program whose stderr is /dev/full, closed, or a pipe without a reader.
int exit_code_with(const std::string& stderr_is, const std::string& program, const Arguments& arguments,
                   const Workplace& place) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  ::close(ends[0]);
  const Descriptor pipe(ends[1]), full(::open("/dev/full", O_WRONLY | O_CLOEXEC)),
      nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  Surroundings around;
  if (stderr_is == "closed") around.closed = {STDERR_FILENO};
  Process process(QISA_PROGRAMS "/" + program, arguments, place.path.string(), around, nowhere.number(),
                  stderr_is == "full" ? full.number() : pipe.number());
  return process.wait();
}

TEST_CASE("Exit codes 1 and 2 hold whatever stderr is") {
  const Workplace place;
  for (const std::string stderr_is : {"full", "closed", "without a reader"}) {
    for (const std::string program : {"train", "sample", "evaluate", "bench", "reproduce"}) {
      CAPTURE(stderr_is, program);
      CHECK(exit_code_with(stderr_is, program, {"--threads=many"}, place) == 2);
    }
    CHECK(exit_code_with(stderr_is, "train", {"--data=no-such.txt"}, place) == 1);
    for (const std::string program : {"sample", "evaluate"}) {
      CAPTURE(stderr_is, program);
      CHECK(exit_code_with(stderr_is, program, {"--checkpoint=no-such.safetensors"}, place) == 1);
    }
  }
}

TEST_CASE("Help that cannot be written is an error") {
  const Workplace place;
  const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const Descriptor errors(::open((place.path / "errors.txt").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  Process process(QISA_PROGRAMS "/sample", {"--help"}, place.path.string(), {}, full.number(), errors.number());
  CHECK(process.wait() == 1);
  CHECK(place.read("errors.txt").find("No space left on device") != std::string::npos);
}

TEST_CASE("Where stdin, stdout and stderr are closed, no file takes their numbers") {
  const Workplace place;
  for (const std::vector<int>& closed : std::vector<std::vector<int>>{{0, 1, 2}, {0, 1}, {1}, {0, 2}}) {
    CAPTURE(closed);
    Options options = {{"out_dir", "closed"}, {"log_interval", "1"}, {"eval_interval", "3"}};
    Surroundings around;
    around.closed = closed;
    const Outcome outcome = place.train_tiny(options, around);
    REQUIRE(outcome.exit_code == 0);
    options["out_dir"] = "open";
    require_success(place.train_tiny(options));
    CHECK(timeless(place.read("closed/log.jsonl")) == timeless(place.read("open/log.jsonl")));
    for (const char* name : {"latest.safetensors", "best.safetensors"}) {
      CHECK((place.read(std::string("closed/") + name) == place.read(std::string("open/") + name)));
    }
    std::filesystem::remove_all(place.path / "closed");
    std::filesystem::remove_all(place.path / "open");
  }
}

}  // namespace streams_test
