// Checkpoints: what is saved comes back to the last bit, under the published names. Files that are refused are
// in checkpoint_reader_test.cpp.
#include "nn/files/checkpoint.hpp"

#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <limits>

#include "tensor/files/safetensors.hpp"
#include "tests/nn/tiny_model.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace checkpoint_test {

/// Whether all entries are the same (and no NaN): failures of this do not print thousands of numbers.
bool same(const Tensor& a, const Tensor& b) {
  return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

std::string bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("Every mechanism's model comes back to the last bit") {
  const TemporaryFolder folder;
  for (const MechanismEntry& mechanism : mechanisms()) {
    INFO(mechanism.name);
    const fs::path path = folder.path / mechanism.name;
    const GPT model(tiny(mechanism.name), 1);
    save_checkpoint(path, model, tokenizer(), nullptr);
    const Checkpoint loaded = load_checkpoint(path);
    CHECK(same(loaded.model.parameters().values(), model.parameters().values()));
    CHECK(loaded.model.pauli_strings() == model.pauli_strings());
    CHECK(loaded.tokenizer.vocabulary() == tokenizer().vocabulary());
    CHECK_FALSE(loaded.training.has_value());

    Pass before(model.parameters()), after(loaded.model.parameters());
    const std::vector<std::int32_t> tokens = {9, 0, 4};
    CHECK(same(model.logits(before, tokens, 1).value(), loaded.model.logits(after, tokens, 1).value()));
  }
}

TEST_CASE("Every setting of a model comes back") {
  ModelSettings settings = tiny("qisa-v2");
  settings.n_layer = 3;
  settings.normalizer = Normalizer::softmax;
  settings.aggregation = Aggregation::transposed;
  settings.pauli = PauliChoice::real;
  settings.activation = Activation::gelu;
  settings.init = Initialization::gpt;
  settings.score_scale = ScoreScale::head;
  settings.tie_embeddings = true;
  const auto text = to_text(settings), defaults = to_text(ModelSettings());
  for (const auto& [name, value] : text) CHECK(value != defaults.at(name));  // this list forgets none
  const TemporaryFolder folder;
  save_checkpoint(folder.path / "model", GPT(settings, 1), tokenizer(), nullptr);
  CHECK(to_text(load_checkpoint(folder.path / "model").model.settings()) == text);
}

TEST_CASE("The state of the training comes back to the last bit") {
  const TemporaryFolder folder;
  const GPT model(tiny("csa"), 1);
  TrainingState state = some_state(model);
  for (const double best_loss : {0.1 + 0.2, std::numeric_limits<double>::infinity()}) {
    state.best_loss = best_loss;
    save_checkpoint(folder.path / "model", model, tokenizer(), &state);
    const Checkpoint loaded = load_checkpoint(folder.path / "model");
    REQUIRE(loaded.training.has_value());
    CHECK(loaded.training->steps == 1234567);
    CHECK(same(loaded.training->first_moment, state.first_moment));
    CHECK(same(loaded.training->second_moment, state.second_moment));
    CHECK(loaded.training->best_loss == best_loss);
    CHECK(loaded.training->settings == state.settings);
  }
}

TEST_CASE("Equal content gives equal bytes, also after a round trip") {
  const TemporaryFolder folder;
  const GPT model(tiny("qisa"), 1), twin(tiny("qisa"), 1);
  const TrainingState state = some_state(model);
  save_checkpoint(folder.path / "a", model, tokenizer(), &state);
  save_checkpoint(folder.path / "b", twin, tokenizer(), &state);
  const Checkpoint loaded = load_checkpoint(folder.path / "a");
  save_checkpoint(folder.path / "c", loaded.model, loaded.tokenizer, &*loaded.training);
  const std::string bytes = bytes_of(folder.path / "a");
  CHECK(bytes.size() > 1000);
  CHECK(bytes_of(folder.path / "b") == bytes);
  CHECK(bytes_of(folder.path / "c") == bytes);
}

TEST_CASE("Weights stand under the names and shapes of the published state_dict") {
  const std::map<std::string, Shape> common = {{"embedding.weight", {10, 4}},
                                               {"positional_embedding_table.weight", {3, 4}},
                                               {"blocks.0.norm1.weight", {4}},
                                               {"blocks.0.norm1.bias", {4}},
                                               {"blocks.0.norm2.weight", {4}},
                                               {"blocks.0.norm2.bias", {4}},
                                               {"blocks.0.mhsa.project.weight", {4, 4}},
                                               {"blocks.0.mhsa.project.bias", {4}},
                                               {"blocks.0.feed_forward.layer.0.weight", {16, 4}},
                                               {"blocks.0.feed_forward.layer.0.bias", {16}},
                                               {"blocks.0.feed_forward.layer.2.weight", {4, 16}},
                                               {"blocks.0.feed_forward.layer.2.bias", {4}},
                                               {"norm.weight", {4}},
                                               {"norm.bias", {4}},
                                               {"fc.weight", {10, 4}},
                                               {"fc.bias", {10}}};
  auto csa = common, v3 = common;
  for (const char* head : {"blocks.0.mhsa.heads.0.", "blocks.0.mhsa.heads.1."}) {
    const std::string prefix = head;
    for (const char* name : {"query.weight", "key.weight", "value.weight"}) csa[prefix + name] = {2, 4};
    v3[prefix + "qsa.q_linear.weight"] = v3[prefix + "qsa.k_linear.weight"] = {2, 4};
    v3[prefix + "qsa.q_linear.bias"] = v3[prefix + "qsa.k_linear.bias"] = {2};
    for (const char* angle : {"rx0.0", "rx0.1", "ry0.0", "ry0.1", "ry1.0", "ry1.1"}) {
      v3[prefix + "qsa.v_slow." + angle + ".params"] = {1, 1};
    }
  }
  const TemporaryFolder folder;
  for (const auto& [mechanism, expected] : {std::pair{"csa", csa}, std::pair{"qisa-v3", v3}}) {
    save_checkpoint(folder.path / mechanism, GPT(tiny(mechanism), 1), tokenizer(), nullptr);
    const SafetensorsFile file = SafetensorsFile::read(folder.path / mechanism);
    std::map<std::string, Shape> actual;
    for (const auto& entry : file.entries()) actual[entry.name] = entry.shape();
    CHECK(actual == expected);
    CHECK(file.metadata().at("vocabulary") == characters);
  }
}

TEST_CASE("A file that is no checkpoint, or none at all, gives an Error with its path") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "model.safetensors";
  check_error(error_of([&] { load_checkpoint(path); }), "model.safetensors");
  save_checkpoint(path, GPT(tiny("csa"), 1), tokenizer(), nullptr);
  fs::resize_file(path, fs::file_size(path) - 1);
  check_error(error_of([&] { load_checkpoint(path); }), "model.safetensors");
}

TEST_CASE("A save that fails leaves the file as it was, and nothing beside it") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "model.safetensors";
  save_checkpoint(path, GPT(tiny("csa"), 1), tokenizer(), nullptr);
  const std::string before = bytes_of(path);

  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const rlimit small{1000, limit.rlim_max};  // bytes: the disk is full
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = error_of([&] { save_checkpoint(path, GPT(tiny("csa"), 2), tokenizer(), nullptr); });
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);

  check_error(message, "model.safetensors");
  CHECK(bytes_of(path) == before);
  CHECK(folder.names() == std::set<std::string>{"model.safetensors"});
  CHECK(same(load_checkpoint(path).model.parameters().values(), GPT(tiny("csa"), 1).parameters().values()));
}

}  // namespace checkpoint_test
