// Checkpoints that nobody should trust: each is refused, with what is wrong and where, before memory is taken
// for what it claims.
#include <cmath>
#include <nlohmann/json.hpp>

#include "tensor/files/safetensors.hpp"
#include "tensor/files/safetensors_writer.hpp"
#include "tests/nn/tiny_model.hpp"
#include "tests/tensor/files.hpp"
#include "tests/tensor/safetensors_bytes.hpp"

using namespace qisa;
using namespace qisa::test;

namespace checkpoint_reader_test {

/// What a checkpoint's file holds, to be damaged.
struct Content {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

Content valid_content() {
  const TemporaryFolder folder;
  const GPT model(tiny("qisa-v3"), 1);
  const TrainingState state = some_state(model);
  save_checkpoint(folder.path / "model", model, tokenizer(), &state);
  const SafetensorsFile file = SafetensorsFile::read(folder.path / "model");
  Content content{file.metadata(), {}};
  for (const auto& entry : file.entries()) content.tensors[entry.name] = file.tensor(entry.name);
  return content;
}

std::string file_with(const Content& content) {
  SafetensorsWriter writer;
  for (const auto& [key, value] : content.metadata) writer.add_metadata(key, value);
  for (const auto& [name, tensor] : content.tensors) writer.add(name, tensor);
  return bytes_of(writer);
}

Checkpoint load(const std::string& bytes, NonFinite weights = NonFinite::refuse) {
  return from_bytes(bytes, [&](const std::filesystem::path& path) { return load_checkpoint(path, weights); });
}

/// The Error of loading a valid checkpoint after `damage` to its content.
template <class Damage>
std::string error_after(const Damage& damage) {
  Content content = valid_content();
  damage(content);
  return error_of([&] { load(file_with(content)); });
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

TEST_CASE("What is wrong in the metadata is said with the file and the entry") {
  const auto wrong = [](const std::string& key, const std::string& value) {
    const std::string message = error_with_metadata(key, value);
    check_error(message, "test.safetensors: the metadata \"" + key + "\"");
    return message;
  };
  wrong("settings", settings_with("attention", "telepathy"));
  wrong("settings", settings_with("n_layer", "0"));
  wrong("settings", "{}");
  check_error(wrong("settings", R"({"n_layer": 1})"), "must be a JSON object of texts");
  check_error(wrong("settings", R"({"n_layer":"1","n_layer":"2"})"), R"(the key "n_layer" occurs twice)");
  check_error(wrong("settings", R"({"n_layer":{}})"), "more than 1 deep");
  wrong("pauli_strings", R"([[["XX", "XW"], ["XX", "YZ"]]])");
  check_error(wrong("pauli_strings", std::string(100'000, '[')), "more than 3 deep");
  check_error(wrong("pauli_strings", R"([[["XX", "YZ"], ["XX"]]])"), "layer 0, head 1 has 1 Pauli strings, not 2");
  check_error(wrong("training", R"({"steps":1,"settings":{"a":"1","a":"2"}})"), R"(the key "a" occurs twice)");
  wrong("vocabulary", "aabcdefghi");
}

TEST_CASE("How far the training has come is read strictly") {
  const auto error = [](const std::string& fields) {
    return error_with_metadata("training", "{" + fields + R"(,"settings":{}})");
  };
  for (const char* steps : {"-1", "1.5", "1e3", "true", "9223372036854775808", "18446744073709551616"}) {
    check_error(error(fmt::format(R"("steps":{})", steps)), "steps must be a whole number from 0 to 2^63 - 1, not");
  }
  CHECK(error(R"("steps":9223372036854775807)") == "(no error)");
  check_error(error(R"("steps":1,"best_loss":"low")"), "best_loss must be a number, not \"low\"");
  check_error(error(R"("steps":1,"best_loss":null)"), "best_loss must be a number, not null");
  check_error(error(R"("steps":1,"best_loss":1e999)"), "beyond what a double can be");
}

TEST_CASE("A setting of the model that the training had otherwise is named") {
  const auto error = [](const std::string& setting) {
    return error_with_metadata("training", R"({"steps":1,"settings":{"dropout":"0.5",)" + setting + "}}");
  };
  check_error(error(R"("n_layer":"2")"), R"(the metadata "training": n_layer is "2", but "1" in the model's settings)");
  check_error(error(R"("tie_embeddings":"true")"), R"(tie_embeddings is "true", but "false")");
  CHECK(error(R"("n_layer":"1")") == "(no error)");
}

TEST_CASE("A tensor that the settings have no place for is named") {
  check_error(error_after([](Content& content) { content.tensors["blocks.1.norm1.weight"] = Tensor::zeros({4}); }),
              "tensor \"blocks.1.norm1.weight\" of shape [4] has no place");
  CHECK(error_after([](Content& content) { content.tensors["trainer/more"] = Tensor::zeros({4}); }) == "(no error)");
}

TEST_CASE("The first tensor that other settings would need is named") {
  const auto error = [](const std::string& name, const std::string& value) {
    return error_with_metadata("settings", settings_with(name, value));
  };
  check_error(error("vocabulary_size", "11"), "embedding.weight has shape [10, 4] where the settings ask for [11, 4]");
  check_error(error("block_size", "4"), "positional_embedding_table.weight has shape [3, 4]");
  check_error(error("n_layer", "2"), "1 layers where the settings ask for 2");
  check_error(error("attention", "qisa-v2"),
              "blocks.0.mhsa.heads.0.qsa.q_slow.rx0.0.params of shape [1, 1] is missing");
  check_error(error("tie_embeddings", "true"), "\"fc.bias\" of shape [10] has no place");
}

TEST_CASE("Weights that are whole numbers are refused") {
  const Content content = valid_content();
  std::string bytes = file_with(content);
  const std::size_t dtype = bytes.find('F', bytes.find(R"("norm.bias")"));
  bytes[dtype] = 'I';  // F32 to I32, or F64 to I64
  check_error(error_of([&] { load(bytes); }), "tensor \"norm.bias\" is I");
}

TEST_CASE("A checkpoint without the tensors of its trainer is a model still, which no training can go on from") {
  Content content = valid_content();
  REQUIRE(content.tensors.erase("trainer/first_moment") + content.tensors.erase("trainer/second_moment") == 2);
  REQUIRE(content.metadata.contains("training"));
  const Checkpoint loaded = load(file_with(content));
  CHECK_FALSE(loaded.training.has_value());
  CHECK(loaded.model.settings().n_embd == 4);
}

TEST_CASE("A second moment below zero is refused, as its root would be no number") {
  check_error(error_after([](Content& content) { content.tensors.at("trainer/second_moment")[2] = -1; }),
              "trainer/second_moment contains -1");
}

TEST_CASE("Numbers that are not finite are loaded when that is asked for") {
  Content content = valid_content();
  content.tensors.at("norm.bias")[1] = Real(INFINITY);
  content.tensors.at("trainer/first_moment")[0] = Real(NAN);
  const auto bytes = file_with(content);
  check_error(error_of([&] { load(bytes); }), "tensor norm.bias contains inf");
  const Checkpoint loaded = load(bytes, NonFinite::allow);
  const Parameters& parameters = loaded.model.parameters();
  const Tensor bias = parameters.part(parameters.values(), "norm.bias");
  CHECK(std::isinf(bias[1]));
  CHECK(std::isfinite(bias[0]));
}

}  // namespace checkpoint_reader_test
