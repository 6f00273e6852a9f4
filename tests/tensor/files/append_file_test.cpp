// AppendFile: pieces come one after the other, and one that does not fit leaves nothing of itself.
#include "tensor/files/append_file.hpp"

#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace append_file_test {

std::string content(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("AppendFile appends to what the file has") {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "log") << "one\n";
  AppendFile log(folder.path / "log");
  log.append("two\n");
  log.append("");
  log.append("three\n");
  log.flush();
  CHECK(content(folder.path / "log") == "one\ntwo\nthree\n");
}

TEST_CASE("AppendFile leaves nothing of a piece that does not fit on the disk") {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "log") << "one\n";
  AppendFile log(folder.path / "log");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{6, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const std::string error = error_of([&] { log.append("two\n"); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  check_error(error, "cannot write " + (folder.path / "log").string());
  check_error(error, "File too large");
  CHECK(content(folder.path / "log") == "one\n");
  log.append("2\n");
  CHECK(content(folder.path / "log") == "one\n2\n");
}

TEST_CASE("AppendFile refuses what it cannot open, with the reason") {
  const TemporaryFolder folder;
  check_error(error_of([&] { AppendFile{folder.path / "missing"}; }), "No such file or directory");
  check_error(error_of([&] { AppendFile{folder.path}; }), "Is a directory");
}

}  // namespace append_file_test
