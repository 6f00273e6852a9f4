#include "apps/reproduction/results.hpp"

#include <array>

#include "tensor/files/atomic_file.hpp"

namespace qisa {

void save_text(const std::filesystem::path& file, const std::string& text) {
  write_atomically(file, std::array{std::as_bytes(std::span(text))});
}

std::optional<RunResult> load_result(const std::filesystem::path& file,
                                     const std::map<std::string, std::string>& settings) {
  auto result = load_json<RunResult>(file);
  if (!result) return {};
  for (const auto& [name, value] : settings) {
    const std::string& found = result->settings[name];
    require(found == value, "{}: a run with {} = {}, not {}; give another --out, or remove it to have it made again",
            file.string(), name, found, value);
  }
  return result;
}

}  // namespace qisa
