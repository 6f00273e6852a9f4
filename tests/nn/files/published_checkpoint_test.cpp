// Files as a user of the published code saves them, put together from the golden models.
#include "nn/files/published_checkpoint.hpp"

#include <set>

#include "nn/files/checkpoint.hpp"
#include "nn/text/utf8.hpp"
#include "tensor/files/safetensors_writer.hpp"
#include "tests/nn/golden.hpp"
#include "tests/tensor/safetensors_bytes.hpp"

using namespace qisa;
using namespace qisa::test;

namespace published_checkpoint_test {

const std::string prefix = "param/";

/// Characters from U+0100 on: one for each token, in an order of their own.
std::u32string vocabulary(Index size) {
  std::u32string text;
  for (Index token = size; token > 0; --token) text += static_cast<char32_t>(0x100 + token);
  return text;
}

/// What a user's file holds.
struct StateDict {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

/// The golden model's weights, with the metadata that are needed.
StateDict state_dict(const SafetensorsFile& golden) {
  const ModelSettings settings = golden_settings(golden);
  StateDict result;
  for (const SafetensorsEntry& entry : golden.entries()) {
    if (entry.name.starts_with(prefix)) result.tensors[entry.name.substr(prefix.size())] = golden.tensor(entry.name);
  }
  result.metadata["vocabulary"] = encode_utf8(vocabulary(settings.vocabulary_size));
  if (settings.attention == "csa") return result;
  result.metadata["pauli_strings"] = golden.metadata().at("pauli_strings");
  if (settings.attention == "qisa-v1" || settings.attention == "qisa-v2") {
    result.metadata["mechanism"] = settings.attention;
  }
  if (settings.aggregation == Aggregation::causal) result.metadata["aggregation"] = "causal";
  return result;
}

Checkpoint load(const StateDict& content) {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  for (const auto& [key, value] : content.metadata) writer.add_metadata(key, value);
  for (const auto& [name, tensor] : content.tensors) writer.add(name, tensor);
  writer.write(folder.path / "published.safetensors");
  return load_checkpoint(folder.path / "published.safetensors");
}

/// The first golden model of a mechanism.
SafetensorsFile golden_of(const std::string& mechanism) {
  for (const auto& [path, file] : golden_files("model")) {
    if (golden_mechanism(file) == mechanism) return file;
  }
  FAIL("no golden model of " << mechanism);
  throw;
}

/// The Error of loading a mechanism's golden model after `damage` to its file.
template <class Damage>
std::string error_after(const std::string& mechanism, const Damage& damage) {
  StateDict content = state_dict(golden_of(mechanism));
  damage(content);
  return error_of([&] { load(content); });
}

std::string error_without(const std::string& mechanism, const std::string& key) {
  return error_after(mechanism, [&](StateDict& content) { REQUIRE(content.metadata.erase(key) == 1); });
}

TEST_CASE("Published models of every mechanism load with the published logits, settings and vocabulary") {
  constexpr double tolerance = sizeof(Real) == 8 ? 1e-11 : 1e-4;
  std::set<std::string> compared;
  for (const auto& [path, golden] : golden_files("model")) {
    INFO(path);
    const Checkpoint checkpoint = load(state_dict(golden));
    const ModelSettings expected = golden_settings(golden);
    auto text = to_text(checkpoint.model.settings()), expected_text = to_text(expected);
    expected_text["normalizer"] = "softmax";  // which means nothing to csa
    CHECK(text == expected_text);
    CHECK(checkpoint.tokenizer.vocabulary() == vocabulary(expected.vocabulary_size));
    CHECK_FALSE(checkpoint.training.has_value());

    const Shape shape = golden.entry("input/x").shape();
    Pass pass(checkpoint.model.parameters());
    const auto tokens = golden_tokens(golden, "input/x", 0, shape.size());
    const Tensor logits = checkpoint.model.logits(pass, tokens, shape[0]).value();
    CHECK(relative_error(logits, golden.tensor("output/logits"), 1e-3) < tolerance);
    compared.insert(expected.attention);
  }
  CHECK(compared == std::set<std::string>{"csa", "qisa", "qisa-v1", "qisa-v2", "qisa-v3"});
}

TEST_CASE("Metadata choose another normalizer and aggregation") {
  StateDict content = state_dict(golden_of("qisa-v3"));
  content.metadata["normalizer"] = "sum";
  content.metadata["aggregation"] = "causal";
  CHECK(load(content).model.settings().normalizer == Normalizer::sum);
  CHECK(load(content).model.settings().aggregation == Aggregation::causal);
  content.metadata.erase("aggregation");
  CHECK(load(content).model.settings().aggregation == Aggregation::transposed);
  content.metadata["normalizer"] = "max";
  check_error(error_of([&] { load(content); }), "normalizer must be");
}

TEST_CASE("A loaded published model is saved and loaded as a checkpoint of this program") {
  const Checkpoint published = load(state_dict(golden_of("qisa-v1")));
  const TemporaryFolder folder;
  save_checkpoint(folder.path / "model", published.model, published.tokenizer, nullptr);
  const Checkpoint again = load_checkpoint(folder.path / "model");
  CHECK(to_text(again.model.settings()) == to_text(published.model.settings()));
  CHECK(again.model.pauli_strings() == published.model.pauli_strings());
}

TEST_CASE("Tensors that are no weights are passed over") {
  StateDict content = state_dict(golden_of("csa"));
  content.tensors["blocks.0.mhsa.heads.0.tril"] = Tensor::zeros({8, 8});
  CHECK(load(content).model.settings().attention == "csa");
}

TEST_CASE("Tensors of dtypes that no model has are passed over") {
  SafetensorsWriter writer;
  const StateDict content = state_dict(golden_of("csa"));
  for (const auto& [key, value] : content.metadata) writer.add_metadata(key, value);
  for (const auto& [name, weights] : content.tensors) writer.add(name, weights);
  std::string bytes = bytes_of(writer);
  // One more tensor, of 4 items, at the end of the data.
  const std::size_t end = bytes.size() - 8 - static_cast<unsigned char>(bytes[0]) -
                          256 * static_cast<std::size_t>(static_cast<unsigned char>(bytes[1]));
  const std::string header = bytes.substr(8, bytes.size() - end - 8), data = bytes.substr(bytes.size() - end);
  for (const auto& [dtype, size] : std::map<std::string, std::size_t>{{"U16", 8},
                                                                      {"U32", 16},
                                                                      {"U64", 32},
                                                                      {"C64", 32},
                                                                      {"F8_E4M3", 4},
                                                                      {"F8_E5M2", 4},
                                                                      {"F8_E8M0", 4},
                                                                      {"F4", 2}}) {
    INFO(dtype);
    const std::string more =
        fmt::format(R"(,"scale":{{"dtype":"{}","shape":[4],"data_offsets":[{},{}]}}}})", dtype, end, end + size);
    const std::string file = file_of(header.substr(0, header.rfind('}')) + more, data + std::string(size, 'x'));
    const auto read = [](const std::filesystem::path& path) { return load_checkpoint(path); };
    CHECK(from_bytes(file, read).model.settings().attention == "csa");
  }
}

TEST_CASE("Metadata that are missing are named in one line that says how to save them") {
  const std::string how = "safetensors.torch.save_file(state_dict, path, metadata={";
  for (const std::string mechanism : {"qisa", "qisa-v1", "qisa-v2", "qisa-v3"}) {
    INFO(mechanism);
    const std::string message = error_without(mechanism, "pauli_strings");
    check_error(message, "published.safetensors: the metadata has no \"pauli_strings\"");
    check_error(message, how);
    check_error(message, "\"pauli_strings\": json.dumps(");
  }
  const std::string message = error_without("csa", "vocabulary");
  check_error(message, "the metadata has no \"vocabulary\"");
  check_error(message, how + "\"vocabulary\"");  // and nothing else, as csa needs nothing else
  const std::string both = error_after("qisa-v3", [](StateDict& content) { content.metadata.clear(); });
  check_error(both, "no \"pauli_strings\" and no \"vocabulary\"");
}

TEST_CASE("qisa-v1 and qisa-v2 have equal names, so that the file must say which it is") {
  const std::string message = error_without("qisa-v1", "mechanism");
  check_error(message, "the metadata has no \"mechanism\"");
  check_error(message, "\"mechanism\": \"qisa-v1\" or \"qisa-v2\"");
  check_error(error_after("qisa-v2", [](StateDict& content) { content.metadata["mechanism"] = "csa"; }),
              "\"mechanism\" is csa");
}

TEST_CASE("Tensors that are missing or of another shape are named") {
  for (const std::string name :
       {"embedding.weight", "positional_embedding_table.weight", "norm.bias", "blocks.0.mhsa.heads.0.key.weight"}) {
    check_error(error_after("csa", [&](StateDict& content) { REQUIRE(content.tensors.erase(name) == 1); }), name);
    check_error(error_after("csa",
                            [&](StateDict& content) {
                              content.tensors.at(name) = Tensor::zeros({3, 2, 1});
                            }),
                name + " has shape [3, 2, 1]");
  }
  for (const std::string name : {"embedding.weight", "positional_embedding_table.weight"}) {
    check_error(error_after("csa", [&](StateDict& content) { content.tensors.at(name) = Tensor::zeros({4}); }),
                name + " has shape [4], but is a matrix");
  }
  check_error(error_after("csa", [](StateDict& content) { content.metadata["vocabulary"] = "abc"; }),
              "vocabulary has 3 characters");
}

TEST_CASE("A file of another program is no checkpoint") {
  const std::string message = error_after("csa", [](StateDict& content) {
    content.tensors = {{"transformer.h.0.attn.c_attn.weight", Tensor::zeros({3, 2})}};
  });
  check_error(message, "published.safetensors: this is no checkpoint");
}

}  // namespace published_checkpoint_test
