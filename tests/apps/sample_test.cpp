// sample: which checkpoint it takes, how its options shape the text, and what it says when it cannot write.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <limits>

#include "nn/files/checkpoint.hpp"
#include "nn/text/utf8.hpp"
#include "tensor/files/descriptor.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace sample_test {

/// Writes the checkpoint again with a weight that is no number; `reaches`: every logit depends on it.
void spoil(const fs::path& path, bool reaches) {
  Checkpoint checkpoint = load_checkpoint(path, NonFinite::allow);
  Parameters& parameters = checkpoint.model.parameters();
  const char* name = reaches ? "norm.bias" : "positional_embedding_table.weight";
  Tensor weights = parameters.part(parameters.values(), name);
  weights[weights.size() - 1] = std::numeric_limits<Real>::quiet_NaN();  // or that of the last position
  save_checkpoint(path, checkpoint.model, checkpoint.tokenizer, nullptr);
}

/// A folder with a model in runs/a that was trained on `text`.
struct Trained : Workplace {
  explicit Trained(const std::string& text = verse()) : Workplace(text) {
    require_success(train_tiny({{"out_dir", "runs/a"}}));
  }

  std::string text(const Options& options) const {
    const Outcome outcome = sample(as_arguments(options));
    require_written(outcome);
    return outcome.out;
  }
};

TEST_CASE("sample writes the characters asked for, all of them from the training text") {
  const Trained place;
  const std::string text = place.text({{"max_new_tokens", "200"}});
  REQUIRE(text.size() == 201);  // a line break ends it
  CHECK(text.back() == '\n');
  CHECK(text.find_first_not_of(Workplace::verse()) == std::string::npos);
  CHECK(place.text({}).size() == 501);
}

TEST_CASE("max_new_tokens counts characters, not bytes") {
  std::string accents;
  for (int i = 0; i < 40; ++i) accents += "Où était l'été? À Besançon — 漢字 🙂 ñ.\n";
  const Trained place(accents);
  const std::string text = place.text({{"start", "été 漢"}, {"max_new_tokens", "60"}, {"temperature", "1.5"}});
  CHECK(text.starts_with("été 漢"));
  CHECK(decode_utf8(text).size() == 5 + 60 + 1);
  CHECK(text.size() > 80);  // characters of several bytes are among the new ones
}

TEST_CASE("The same seed writes the same text, another seed another") {
  const Trained place;
  const std::string text = place.text({{"seed", "1"}});
  CHECK(text == place.text({{"seed", "1"}}));
  CHECK(text != place.text({{"seed", "2"}}));
}

TEST_CASE("At temperature 0 or with top_k 1, every seed writes the likeliest text") {
  const Trained place;
  const std::string likeliest = place.text({{"temperature", "0"}, {"seed", "1"}});
  CHECK(likeliest == place.text({{"temperature", "0"}, {"seed", "2"}}));
  CHECK(likeliest == place.text({{"top_k", "1"}, {"seed", "3"}}));
  CHECK(likeliest == place.text({{"top_p", "0.000001"}, {"seed", "4"}}));
  CHECK(likeliest != place.text({{"temperature", "1"}, {"seed", "1"}}));
}

TEST_CASE("num_samples writes so many texts, different ones, with a line between them") {
  const Trained place;
  const std::string all = place.text({{"num_samples", "3"}, {"max_new_tokens", "50"}});
  const std::string between = "\n\n---------------\n";
  REQUIRE(all.size() == 3 * 50 + 2 * between.size() + 1);
  std::set<std::string> texts;
  for (std::size_t i = 0; i < 3; ++i) {
    texts.insert(all.substr(i * (50 + between.size()), 50));
    if (i > 0) CHECK(all.substr(i * (50 + between.size()) - between.size(), between.size()) == between);
  }
  CHECK(texts.size() == 3);
}

TEST_CASE("The text begins with what --start gives, in the command line or as FILE:path") {
  const Trained place;
  const std::string start = "Who calls?\nthe cat";
  place.write("start.txt", start);
  const std::string text = place.text({{"start", start}, {"max_new_tokens", "40"}});
  CHECK(text.starts_with(start));
  CHECK(text.size() == start.size() + 41);
  CHECK(text == place.text({{"start", "FILE:start.txt"}, {"max_new_tokens", "40"}}));
  // The model reads the start: the same seed goes on differently after another.
  CHECK(text.substr(start.size()) !=
        place.text({{"start", "12"}, {"max_new_tokens", "40"}, {"temperature", "0"}}).substr(2));
}

TEST_CASE("Without --checkpoint the newest run in runs/ writes") {
  const Trained place;
  require_success(place.train_tiny({{"out_dir", "runs/b"}, {"seed", "2"}}));
  const std::string a = place.text({{"checkpoint", "runs/a"}}), b = place.text({{"checkpoint", "runs/b"}});
  REQUIRE(a != b);
  const fs::path latest_a = place.path / "runs/a/latest.safetensors";
  const fs::path latest_b = place.path / "runs/b/latest.safetensors";
  fs::last_write_time(latest_a, fs::last_write_time(latest_b) - std::chrono::seconds(5));
  CHECK(place.text({}) == b);
  fs::last_write_time(latest_a, fs::last_write_time(latest_b) + std::chrono::seconds(5));
  CHECK(place.text({}) == a);
}

TEST_CASE("The option --checkpoint takes a file or a run's folder, wherever it is") {
  const Trained place;
  fs::rename(place.path / "runs", place.path / "elsewhere");
  const std::string text = place.text({{"checkpoint", "elsewhere/a/latest.safetensors"}});
  CHECK(text == place.text({{"checkpoint", "elsewhere/a"}}));
  CHECK(text == place.text({{"checkpoint", (place.path / "elsewhere/a").string()}}));
  const Outcome without_the_option = place.sample({"elsewhere/a"});
  require_written(without_the_option);
  CHECK(text == without_the_option.out);
  // 20 steps were evaluated once, at the end: the best model is the last.
  CHECK(text == place.text({{"checkpoint", "elsewhere/a/best.safetensors"}}));
}

TEST_CASE("sample says which checkpoint it reads, and why that one") {
  const Trained place;
  const auto said = [&place](const Arguments& arguments) {
    const Outcome outcome = place.sample(arguments);
    require_written(outcome);
    return outcome.err;
  };
  const std::string best = "; runs/a/best.safetensors has the smallest validation loss\n";
  CHECK(said({}) == "from runs/a/latest.safetensors (step 20): the newest run's last" + best);
  CHECK(said({"runs/a"}) == "from runs/a/latest.safetensors (step 20): this run's last" + best);
  CHECK(said({"runs/a/best.safetensors"}) == "from runs/a/best.safetensors (step 20)\n");
  fs::remove(place.path / "runs/a/latest.safetensors");
  CHECK(said({"runs/a"}) == "from runs/a/best.safetensors (step 20): this run's best; it has no latest.safetensors\n");
}

TEST_CASE("Without --start a text without line breaks begins with the character that the model writes most") {
  std::string text;
  for (int i = 0; i < 500; ++i) text += i % 4 == 0 ? "ACA" : i % 4 == 1 ? "AGA" : i % 4 == 2 ? "TAA" : "AAA";
  const Workplace place(text);
  require_success(place.train_tiny({{"out_dir", "runs/a"}, {"max_iters", "100"}, {"learning_rate", "0.02"}}));
  for (const char* seed : {"1", "2", "3"}) {
    const Outcome outcome = place.sample({"--max_new_tokens=10", "--seed", seed});
    require_written(outcome);
    CHECK(outcome.out.size() == 12);
    CHECK(outcome.out.starts_with("A"));
  }
}

TEST_CASE("Without any checkpoint, one line tells what to do") {
  const Workplace place;
  check_refused(place.sample({}), 1, {"runs/", "make train"});
  fs::create_directories(place.path / "runs/qisa-v3-1");  // a run that was stopped before its first checkpoint
  check_refused(place.sample({}), 1, {"runs/", "make train"});
}

TEST_CASE("A character that the vocabulary lacks is named") {
  const Trained place;
  check_refused(place.sample({"--start", "the café"}), 1, {"é"});
  check_refused(place.sample({"--start", "the Zebra"}), 1, {"--start", "Z"});
  place.write("start.txt", "the Zebra");
  check_refused(place.sample({"--start", "FILE:start.txt"}), 1, {"--start FILE:start.txt", "Z"});
}

TEST_CASE("A start that is no text is refused") {
  const Trained place;
  fs::create_directory(place.path / "folder");
  check_refused(place.sample({"--start", ""}), 1, {"start"});
  check_refused(place.sample({"--start", "the caf\xe9"}), 1, {"--start: the text is not valid UTF-8"});
  check_refused(place.sample({"--start", "FILE:no-such.txt"}), 1, {"no-such.txt"});
  check_refused(place.sample({"--start", "FILE:folder"}), 1, {"folder"});
}

TEST_CASE("What is no whole checkpoint is refused in one line that names the file") {
  const Trained place;
  const std::string whole = place.read("runs/a/latest.safetensors");
  place.write("half.safetensors", whole.substr(0, whole.size() / 2));
  place.write("last_byte_missing.safetensors", whole.substr(0, whole.size() - 1));
  place.write("header_only.safetensors", whole.substr(0, 100));
  place.write("five_bytes.safetensors", whole.substr(0, 5));
  place.write("empty.safetensors", "");
  fs::create_directory(place.path / "folder");
  for (const char* name :
       {"half.safetensors", "last_byte_missing.safetensors", "header_only.safetensors", "five_bytes.safetensors",
        "empty.safetensors", "text.txt", "no-such.safetensors", "folder"}) {
    CAPTURE(name);
    check_refused(place.sample({"--checkpoint", name}), 1, {name});
  }
}

TEST_CASE("A model with weights that are no numbers writes only when told so, and only what it can") {
  const Trained place;
  const fs::path checkpoint = place.path / "runs/a/latest.safetensors";
  spoil(checkpoint, false);
  check_refused(place.sample({}), 1, {"positional_embedding_table.weight contains nan"});
  CHECK(place.text({{"allow_nonfinite", "true"}, {"max_new_tokens", "5"}}).size() == 6);
  spoil(checkpoint, true);
  const Outcome none = place.sample({"--allow_nonfinite"});
  CHECK(none.exit_code == 1);
  CHECK(lines_of(none.err).back().find("logits are not finite") != std::string::npos);
}

TEST_CASE("A sampling option out of range is refused with its value") {
  const Trained place;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"top_k", "-1"},
                                                                                    {"top_p", "0"},
                                                                                    {"top_p", "1.5"},
                                                                                    {"top_p", "-0.25"},
                                                                                    {"temperature", "-0.5"},
                                                                                    {"temperature", "nan"},
                                                                                    {"temperature", "inf"},
                                                                                    {"num_samples", "0"},
                                                                                    {"max_new_tokens", "-7"}}) {
    CAPTURE(name, value);
    check_refused(place.sample(as_arguments({{name, value}})), 1, {name, value});
  }
}

TEST_CASE("Wrong usage of sample ends with 2 and one line") {
  const Trained place;
  check_refused(place.sample({"--temprature", "1"}), 2, {"no option --temprature", "did you mean --temperature?"});
  check_refused(place.sample({"--temperature", ""}), 2, {"--temperature", "\"\" is not a number"});
  check_refused(place.sample({"--top_p="}), 2, {"--top_p"});
  check_refused(place.sample({"--seed", ""}), 2, {"--seed", "\"\""});
  check_refused(place.sample({"--top_k", "many"}), 2, {"--top_k", "many"});
  check_refused(place.sample({"--top_k"}), 2, {"--top_k"});
  check_refused(place.sample({"--seed", "-1"}), 2, {"--seed", "-1"});
  check_refused(place.sample({"runs/a", "more"}), 2, {"more"});
  check_refused(place.sample({"--checkpoint", "runs/a", "runs/a"}), 2, {"runs/a"});
}

TEST_CASE("sample writes whole characters at a time, and ends without a word when its reader has enough") {
  const Trained place(Workplace::verse() + "été 漢字 🙂");
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC | O_DIRECT) == 0);  // each write is read as it was written
  const Descriptor errors(::open((place.path / "errors.txt").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  Process process(QISA_PROGRAMS "/sample", {"--start=漢字🙂", "--max_new_tokens=1000000", "--temperature=30"},
                  place.path.string(), {}, ends[1], errors.number());
  ::close(ends[1]);
  std::string text;
  for (char block[4096]; text.size() < 1000;) {
    const ssize_t count = ::read(ends[0], block, sizeof block);
    REQUIRE(count > 0);
    const std::string written(block, static_cast<std::size_t>(count));
    REQUIRE_NOTHROW(decode_utf8(written));
    text += written;
  }
  CHECK(decode_utf8(text).size() < text.size() - 20);  // characters of several bytes are among them
  ::close(ends[0]);
  CHECK(process.wait() == 128 + SIGPIPE);
  CHECK(lines_of(place.read("errors.txt")).size() == 1);  // which checkpoint it is
}

TEST_CASE("Text that cannot be written is an error") {
  const Trained place;
  const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const Descriptor errors(::open((place.path / "errors.txt").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  Process process(QISA_PROGRAMS "/sample", {}, place.path.string(), {}, full.number(), errors.number());
  CHECK(process.wait() == 1);
  const std::string message = place.read("errors.txt");
  CHECK(lines_of(message).size() == 2);  // which checkpoint it is, and what is wrong
  CHECK(message.find("No space left on device") != std::string::npos);
}

}  // namespace sample_test
