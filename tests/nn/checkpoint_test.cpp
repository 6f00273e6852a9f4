// Checkpoints: what is saved comes back to the last bit, under the published names, and damage is named.
#include "nn/checkpoint.hpp"

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "nn/utf8.hpp"
#include "tensor/safetensors.hpp"
#include "tensor/safetensors_writer.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;
namespace fs = std::filesystem;

namespace {

const std::string characters = "\n \"Zaé\\ß漢🙂";  // in order of code points but for the backslash

ModelSettings tiny(const std::string& attention) {
  ModelSettings settings;
  settings.vocabulary_size = 10;
  settings.n_layer = 1;
  settings.n_head = 2;
  settings.n_embd = 4;
  settings.block_size = 3;
  settings.attention = attention;
  return settings;
}

Tokenizer tokenizer() { return Tokenizer(decode_utf8(characters)); }

/// Whether all entries are the same (and no NaN): failures of this do not print thousands of numbers.
bool same(const Tensor& a, const Tensor& b) {
  return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

std::string bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TrainingState some_state(const GPT& model) {
  Random random(1, Purpose::tests);
  TrainingState state;
  state.steps = 1234567;
  for (Tensor* moment : {&state.first_moment, &state.second_moment}) {
    *moment = Tensor({model.parameters().size()});
    for (Real& value : moment->values()) value = static_cast<Real>(random.uniform());
  }
  state.best_loss = 0.1 + 0.2;
  state.settings = {{"learning_rate", "3e-3"}, {"data", "a \"quoted\" näme"}};
  return state;
}

/// What a checkpoint's file holds, to be damaged.
struct Content {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

/// The Error of loading a valid checkpoint after `damage` to its content.
template <class Damage>
std::string error_after(const Damage& damage) {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "model.safetensors";
  const GPT model(tiny("qisa-v3"), 1);
  const TrainingState state = some_state(model);
  save_checkpoint(path, model, tokenizer(), &state);
  const SafetensorsFile file = SafetensorsFile::read(path);
  Content content{file.metadata(), {}};
  for (const auto& entry : file.entries()) content.tensors[entry.name] = file.tensor(entry.name);
  damage(content);
  SafetensorsWriter writer;
  for (const auto& [key, value] : content.metadata) writer.add_metadata(key, value);
  for (const auto& [name, tensor] : content.tensors) writer.add(name, tensor);
  writer.write(path);
  return error_of([&] { load_checkpoint(path); });
}

std::string error_with_metadata(const std::string& key, const std::string& value) {
  return error_after([&](Content& content) { content.metadata.at(key) = value; });
}

/// The JSON text of the settings of error_after()'s model with one of them changed.
std::string settings_with(const std::string& name, const std::string& value) {
  auto text = to_text(tiny("qisa-v3"));
  text.at(name) = value;
  return nlohmann::json(text).dump();
}

}  // namespace

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
    for (const auto& entry : file.entries()) actual[entry.name] = entry.shape;
    CHECK(actual == expected);
    CHECK(file.metadata().at("vocabulary") == characters);
  }
}

TEST_CASE("Missing metadata is named") {
  for (const char* key : {"settings", "pauli_strings", "vocabulary"}) {
    check_error(error_after([&](Content& content) { content.metadata.erase(key); }), key);
  }
}

TEST_CASE("Metadata that is not what was expected is named") {
  check_error(error_with_metadata("settings", "n_layer = 3"), "\"settings\"");
  check_error(error_with_metadata("settings", "[1, 2]"), "\"settings\"");
  check_error(error_with_metadata("settings", settings_with("n_layer", "many")), "n_layer");
  check_error(error_with_metadata("settings", settings_with("n_head", "3")), "n_head 3");
  check_error(error_with_metadata("settings", settings_with("attention", "telepathy")), "telepathy");
  check_error(error_with_metadata("settings", "{}"), "is missing");
  check_error(error_with_metadata("pauli_strings", "XX"), "\"pauli_strings\"");
  check_error(error_with_metadata("pauli_strings", "[[[1]]]"), "\"pauli_strings\"");
  check_error(error_with_metadata("training", "soon"), "\"training\"");
  check_error(error_with_metadata("training", R"({"steps": 3})"), "\"training\"");
  check_error(error_with_metadata("training", R"({"steps": "three", "settings": {}})"), "\"training\"");
}

TEST_CASE("Pauli strings that do not fit the settings are named") {
  check_error(error_with_metadata("pauli_strings", R"([[["XX"], ["XX", "YZ"]]])"), "1 Pauli strings");
  check_error(error_with_metadata("pauli_strings", R"([[["XX", "YZ"]]])"), "1 heads");
  check_error(error_with_metadata("pauli_strings", "[]"), "0 layers");
  check_error(error_with_metadata("pauli_strings", R"([[["XX", "XYZ"], ["XX", "YZ"]]])"), "XYZ");
  check_error(error_with_metadata("pauli_strings", R"([[["XX", "XW"], ["XX", "YZ"]]])"), "XW");
}

TEST_CASE("A vocabulary of another size is named, with both sizes") {
  const std::string message = error_with_metadata("vocabulary", "abc");
  check_error(message, "vocabulary has 3");
  check_error(message, "10");
  CHECK(error_with_metadata("vocabulary", "aabcdefghi") != "(no error)");
}

TEST_CASE("Tensors that are missing, of another shape or not finite are named") {
  for (const std::string name : {"fc.weight", "blocks.0.mhsa.heads.1.qsa.v_slow.ry0.1.params", "trainer/first_moment",
                                 "trainer/second_moment"}) {
    check_error(error_after([&](Content& content) { content.tensors.erase(name); }), name);
    check_error(error_after([&](Content& content) {
                  content.tensors.at(name) = Tensor::zeros({3, 2, 1});
                }),
                name + " has shape [3, 2, 1]");
    for (const Real value : {Real(NAN), Real(INFINITY), Real(-INFINITY)}) {
      check_error(error_after([&](Content& content) { content.tensors.at(name)[0] = value; }), name);
    }
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
