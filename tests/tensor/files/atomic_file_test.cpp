// write_atomically(): the new file is whole, and after any failure the old one is as it was.
#include "tensor/files/atomic_file.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace atomic_file_test {

/// While it lives, files cannot grow beyond `bytes`: what a full disk looks like.
struct FullDisk {
  explicit FullDisk(rlim_t bytes) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
  }
  rlimit before{};
  void (*handler)(int) = nullptr;
};

void write(const fs::path& path, const std::vector<std::string>& texts) {
  std::vector<std::span<const std::byte>> pieces;
  for (const std::string& text : texts) pieces.push_back(std::as_bytes(std::span(text)));
  write_atomically(path, pieces);
}

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("write_atomically writes the pieces one after the other and leaves no other file") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "file";
  const std::string large(3'000'000, 'x');

  write(path, {"one ", "", std::string("\0\xff\n", 3), large});
  CHECK((content(path) == std::string("one \0\xff\n", 7) + large));
  write(path, {"shorter"});
  CHECK(content(path) == "shorter");
  write(path, {});
  CHECK(fs::file_size(path) == 0);
  CHECK(folder.names() == std::set<std::string>{"file"});
}

TEST_CASE("write_atomically gives the file the permissions of any new file") {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "ordinary") << "x";
  write(folder.path / "atomic", {"x"});
  CHECK(fs::status(folder.path / "atomic").permissions() == fs::status(folder.path / "ordinary").permissions());
}

TEST_CASE("write_atomically takes a bare file name as one in the current folder") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path);
  const std::string error = error_of([] { write("bare", {"text"}); });
  fs::current_path(before);
  CHECK(error == "(no error)");
  CHECK(content(folder.path / "bare") == "text");
}

TEST_CASE("write_atomically on a full disk leaves the old file and no temporary file") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "file";
  std::ofstream(path) << "old";
  const std::vector<std::string> within_last{std::string(3000, 'a'), std::string(3000, 'b')};
  const std::vector<std::string> before_last{std::string(4096, 'a'), "b"};
  for (const auto& pieces : {within_last, before_last}) {
    std::string error;
    {
      const FullDisk disk(4096);
      error = error_of([&] { write(path, pieces); });
    }
    check_error(error, "cannot write " + path.string());
    check_error(error, "File too large");
    CHECK(content(path) == "old");
    CHECK(folder.names() == std::set<std::string>{"file"});
  }
  write(path, within_last);  // without the limit it is possible
  CHECK(content(path) == within_last[0] + within_last[1]);
}

TEST_CASE("write_atomically names the path and the reason when the place cannot be written") {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "file") << "old";
  fs::create_directory(folder.path / "folder");
  const auto before = folder.names();

  struct Case {
    fs::path path;
    std::string reason;
  };
  const std::vector<Case> cases{
      {folder.path / "missing" / "file", "No such file or directory"},
      {folder.path / "file" / "below", "Not a directory"},
      {folder.path / "folder", "it is a folder"},
      {folder.path / "folder" / "", "it is a folder"},
      {"/dev/null", "it is a device"},
      {"", "No such file or directory"},
      {folder.path / std::string(300, 'n'), "File name too long"},
  };
  for (const auto& [path, reason] : cases) {
    const std::string error = error_of([&path = path] { write(path, {"new"}); });
    check_error(error, "cannot write " + path.string());
    check_error(error, reason);
  }
  CHECK(folder.names() == before);
  CHECK(content(folder.path / "file") == "old");
  CHECK(fs::is_empty(folder.path / "folder"));
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("remove_leftovers removes temporary files of write_atomically, and nothing else") {
  const TemporaryFolder folder;
  const std::set<std::string> others{"file",         "file.tmp",      "file.12.tmp",    "file.1-2.tmp.txt",
                                     "file.a-b.tmp", "file.12-3.bak", "file.12-.tmp",   "file.-3.tmp",
                                     ".12-3.tmp",    "12-3.tmp",      "file.12-3-.tmp", "file.1.2-3x.tmp"};
  for (const std::string& name : others) std::ofstream(folder.path / name) << "x";
  for (const char* name : {"file.12-3.tmp", "a.b-c.4000000-17.tmp"}) std::ofstream(folder.path / name) << "x";
  remove_leftovers(folder.path);
  CHECK(folder.names() == others);
  remove_leftovers(folder.path / "missing");  // nothing to do
}

TEST_CASE("write_atomically throws when the folder takes no new files") {
  const TemporaryFolder folder;
  fs::path target = folder.path / "file";
  std::ofstream(target) << "old";
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
  if (::geteuid() == 0) target = "/proc/file";  // permissions do not stop root, /proc does
  check_error(error_of([&] { write(target, {"new"}); }), "cannot write " + target.string());
  CHECK(content(folder.path / "file") == "old");
  CHECK(folder.names() == std::set<std::string>{"file"});
}

TEST_CASE("A reader sees one writer's whole content while two threads replace the file") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "file";
  const std::string a(200'000, 'a'), b(150'000, 'b');
  write(path, {a});

  std::atomic<int> running = 2, failures = 0;
  const auto replace = [&](const std::string& text) {
    for (int i = 0; i < 20; ++i) failures += error_of([&] { write(path, {text}); }) != "(no error)";
    --running;
  };
  std::thread first(replace, a), second(replace, b);
  int mixed = 0;
  do {
    const std::string seen = content(path);
    mixed += seen != a && seen != b;
  } while (running > 0);
  first.join();
  second.join();
  CHECK(failures == 0);
  CHECK(mixed == 0);
  CHECK(folder.names() == std::set<std::string>{"file"});
}

}  // namespace atomic_file_test
