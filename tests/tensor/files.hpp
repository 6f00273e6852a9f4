// What the tests of files share: a folder of their own, and the text of errors.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <set>
#include <string>

#include "tensor/error.hpp"
#include "tests/catch.hpp"

namespace qisa::test {

/// A new folder, removed with its content at the end.
struct TemporaryFolder {
  std::filesystem::path path;

  explicit TemporaryFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = (parent / "qisa-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::filesystem::remove_all(path);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::set<std::string> names() const {
    std::set<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(path)) result.insert(entry.path().filename().string());
    return result;
  }
};

/// The message of the Error that `call` throws.
template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

/// Checks that an error message is one line that contains `piece`.
inline void check_error(const std::string& message, const std::string& piece) {
  INFO("message: " << message << "\nexpected in it: " << piece);
  CHECK(message.find(piece) != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
}

}  // namespace qisa::test
