// The folder of a run: none is replaced without a word, and each process has its own.
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace folder_test {

/// What a folder holds, by name.
std::map<std::string, std::string> content_of(const Workplace& place, const std::string& folder) {
  std::map<std::string, std::string> content;
  for (const auto& entry : fs::directory_iterator(place.path / folder)) {
    const std::string name = entry.path().filename().string();
    content[name] = place.read(folder + "/" + name);
  }
  return content;
}

TEST_CASE("A folder that holds a run is refused, with what is there and both ways on, and stays as it was") {
  const Workplace place;
  require_success(place.train_tiny({{"out_dir", "out"}, {"keep", "2"}, {"eval_interval", "5"}}));
  const auto before = content_of(place, "out");
  const std::vector<std::string> pieces = {"out: a run is here already", "latest.safetensors",
                                           "step-000015.safetensors", "--resume out", "--overwrite"};
  check_refused(place.train_tiny({{"out_dir", "out"}, {"seed", "2"}}), 1, pieces);
  check_refused(place.train({"--config", "out/config.toml", "--out_dir", "out"}), 1, pieces);
  CHECK((content_of(place, "out") == before));

  place.write("mine/config.toml", "n_layer = 1\n");
  check_refused(place.train_tiny({{"config", "mine/config.toml"}, {"out_dir", "mine"}}), 1, {"mine", "config.toml"});
  CHECK(place.read("mine/config.toml") == "n_layer = 1\n");
}

TEST_CASE("A run on its own config.toml is a new one, and leaves the first one's bytes as they were") {
  const Workplace place;
  require_success(place.train_tiny({{"out_dir", "runs/first"}}));
  const auto before = content_of(place, "runs/first");
  require_success(place.train({"--config", "runs/first/config.toml"}));
  CHECK((content_of(place, "runs/first") == before));
  CHECK((place.read("runs/qisa-v3-1/latest.safetensors") == before.at("latest.safetensors")));
}

TEST_CASE("With --overwrite a run is replaced as a whole: nothing of the old one is left") {
  const Workplace place;
  require_success(place.train_tiny({{"out_dir", "out"}, {"keep", "9"}, {"eval_interval", "3"}}));
  place.write("out/notes.txt", "mine");
  require_success(place.train_tiny({{"out_dir", "new"}, {"seed", "2"}, {"eval_interval", "10"}}));
  require_success(
      place.train_tiny({{"out_dir", "out"}, {"overwrite", "true"}, {"seed", "2"}, {"eval_interval", "10"}}));
  auto content = content_of(place, "out");
  CHECK(content.extract("notes.txt").mapped() == "mine");  // is no part of a run
  CHECK(timeless(content.at("log.jsonl")) == timeless(place.read("new/log.jsonl")));
  content["log.jsonl"] = place.read("new/log.jsonl");
  CHECK((content == content_of(place, "new")));
}

TEST_CASE("Of trainings that start at once without a folder each gets its own") {
  const Workplace place(Workplace::verse(), fast_folder());
  constexpr int count = 8;
  for (int round = 0; round < 5; ++round) {
    std::vector<std::unique_ptr<Process>> processes;
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < count; ++i) {
      processes.push_back(std::make_unique<Process>(QISA_PROGRAMS "/train", Workplace::tiny({{"max_iters", "1"}}),
                                                    place.path.string(), Surroundings{}, nowhere, nowhere));
    }
    for (auto& process : processes) CHECK(process->wait() == 0);
    ::close(nowhere);
  }
  for (int number = 1; number <= 5 * count; ++number) {
    CHECK(fs::exists(place.path / ("runs/qisa-v3-" + std::to_string(number)) / "latest.safetensors"));
  }
}

}  // namespace folder_test
