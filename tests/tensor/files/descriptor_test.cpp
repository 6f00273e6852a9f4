// Descriptor: what is appended comes piece after piece, and one that does not fit leaves nothing of itself.
#include "tensor/files/descriptor.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace descriptor_test {

/// A log that has a line already.
struct Log {
  TemporaryFolder folder;
  std::filesystem::path path = folder.path / "log";
  Descriptor file;

  Log() {
    std::ofstream(path) << "one\n";
    file = Descriptor(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  }
  void append(std::string_view text) const { file.append(text, path); }
};

std::string content(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("What is appended to a file follows what it has") {
  const Log log;
  log.append("two\n");
  log.append("");
  log.append("three\n");
  CHECK(log.file.flush());
  CHECK(content(log.path) == "one\ntwo\nthree\n");
}

TEST_CASE("Appending leaves nothing of a piece that does not fit on the disk") {
  const Log log;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{6, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const std::string error = error_of([&] { log.append("two\n"); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  check_error(error, "cannot write " + log.path.string());
  check_error(error, "File too large");
  CHECK(content(log.path) == "one\n");
  log.append("2\n");
  CHECK(content(log.path) == "one\n2\n");
}

}  // namespace descriptor_test
