// train --init_from: a new run that begins with a model's weights, on another text.
#include "nn/files/checkpoint.hpp"
#include "nn/text/utf8.hpp"
#include "tests/apps/run.hpp"

using namespace qisa;
using namespace qisa::test;

namespace init_test {

/// A model in old/, and another text with two characters that it does not know.
struct Trained : Workplace {
  Trained() {
    require_success(train_tiny({{"out_dir", "old"}, {"n_head", "2"}, {"attention", "qisa"}}));
    write("other.txt", "Été! " + verse());
  }

  /// Trains for a step that changes no weight of single precision.
  Outcome begin(const Options& more) const {
    Options options = {{"init_from", "old"}, {"out_dir", "new"}, {"max_iters", "1"}, {"learning_rate", "1e-30"}};
    for (const auto& [name, value] : more) options[name] = value;
    return train(as_arguments(options));
  }
};

Tensor weights(const GPT& model, const std::string& name) {
  return model.parameters().part(model.parameters().values(), name);
}

TEST_CASE("A new run begins with the model and the weights of a checkpoint, and keeps its settings") {
  const Trained place;
  for (const std::string from : {"old", "old/best.safetensors"}) {
    const Outcome outcome = place.begin({{"data", "text.txt"}, {"init_from", from}, {"overwrite", "true"}});
    require_success(outcome);
    CHECK(outcome.out.find("begins from " + from) != std::string::npos);
    const GPT old = load_checkpoint(place.path / "old/latest.safetensors").model;
    const Checkpoint now = load_checkpoint(place.path / "new/latest.safetensors");
    CHECK(to_text(now.model.settings()) == to_text(old.settings()));
    CHECK(now.model.pauli_strings() == old.pauli_strings());
    CHECK(now.training->steps == 1);
    const auto before = old.parameters().values().values(), after = now.model.parameters().values().values();
    CHECK(std::equal(before.begin(), before.end(), after.begin(), after.end()));
  }
  CHECK(place.read("new/config.toml").find("n_head = 2\n") != std::string::npos);
}

TEST_CASE("Characters that the model does not know are named and come after its own") {
  const Trained place;
  const Outcome outcome = place.begin({{"data", "other.txt"}});
  require_success(outcome);
  const Checkpoint old = load_checkpoint(place.path / "old/latest.safetensors");
  const Checkpoint now = load_checkpoint(place.path / "new/latest.safetensors");
  const std::u32string added = now.tokenizer.vocabulary().substr(old.tokenizer.vocabulary().size());
  CHECK(now.tokenizer.vocabulary() == old.tokenizer.vocabulary() + added);
  CHECK(added == U"!Éé");
  CHECK(outcome.out.find("3 characters that the model did not know: ") != std::string::npos);
  for (const char32_t character : added) {
    CHECK(outcome.out.find(describe_code_point(character)) != std::string::npos);
  }
  for (const char* name : {"embedding.weight", "fc.weight", "fc.bias"}) {
    CAPTURE(name);
    const Tensor before = weights(old.model, name), after = weights(now.model, name);
    REQUIRE(after.size() > before.size());
    CHECK(std::equal(before.values().begin(), before.values().end(), after.values().begin()));
    for (Index i = before.size(); i < after.size(); ++i) CHECK(after[i] != 0);
  }
}

TEST_CASE("A setting that the model does not have is refused by name, and an empty checkpoint too") {
  const Trained place;
  check_refused(place.begin({{"data", "text.txt"}, {"n_layer", "3"}}), 1,
                {"old/latest.safetensors", "n_layer = 1, not 3"});
  check_refused(place.begin({{"data", "text.txt"}, {"attention", "csa"}}), 1, {"attention = qisa, not csa"});
  check_refused(place.begin({{"data", "text.txt"}, {"init_from", "no-such"}}), 1, {"no-such"});
  check_refused(place.begin({{"data", "text.txt"}, {"init_from", ""}}), 2, {"--init_from= has no value"});
  check_refused(place.train({"text.txt", "--init_from", ""}), 2, {"--init_from is empty"});
  CHECK(place.names() == std::set<std::string>{"old", "other.txt", "text.txt"});
}

TEST_CASE("A run that began with another model's weights is resumed to the bytes of one that ran through") {
  const Trained place;
  const Options run = {{"data", "other.txt"}, {"learning_rate", "0.01"}, {"max_iters", "8"}, {"lr_decay_iters", "8"}};
  require_success(place.begin(run));
  Options first = run;
  first["max_iters"] = "3";
  first["out_dir"] = "parts";
  require_success(place.begin(first));
  require_success(place.train({"--resume", "parts", "--max_iters=8"}));
  CHECK((place.read("new/latest.safetensors") == place.read("parts/latest.safetensors")));
  require_success(place.train({"--config", "new/config.toml", "--out_dir", "again"}));
  CHECK((place.read("new/latest.safetensors") == place.read("again/latest.safetensors")));
}

}  // namespace init_test
