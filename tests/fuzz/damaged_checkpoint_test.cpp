// A small checkpoint, damaged in every way that is small: an Error or a valid model each time, and never much
// memory. fuzz_checkpoint() checks that.
#include <nlohmann/json.hpp>

#include "nn/files/checkpoint.hpp"
#include "tensor/files/safetensors.hpp"
#include "tensor/files/safetensors_writer.hpp"
#include "tests/apps/run.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qisa;
using namespace qisa::test;

namespace damaged_checkpoint_test {

/// As small as a model with a quantum circuit and the state of its training can be.
std::string small_checkpoint() {
  const Workplace place;
  ModelSettings settings;
  settings.vocabulary_size = settings.block_size = settings.n_embd = 2;
  settings.n_layer = 1;
  const GPT model(settings, 1);
  const Tensor moment = Tensor::zeros({model.parameters().size()});
  const TrainingState training{3, moment, moment, 0.5, {{"n_embd", "2"}, {"dropout", "0.1"}}, "text.txt"};
  save_checkpoint(place.path / "small", model, Tokenizer(U"ab"), &training);
  return place.read("small");
}

bool is_model(const std::string& bytes) { return fuzz_checkpoint(std::as_bytes(std::span(bytes))); }

std::uint64_t header_length(const std::string& bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

TEST_CASE("A checkpoint cut off at any byte is refused") {
  const std::string whole = small_checkpoint();
  REQUIRE(is_model(whole));
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) refused += !is_model(whole.substr(0, size));
  CHECK(refused == whole.size());
}

TEST_CASE("A checkpoint with any one bit of its header flipped is refused or a valid model") {
  const std::string whole = small_checkpoint();
  const std::size_t bits = 8 * (8 + header_length(whole));
  std::size_t models = 0;
  std::string flipped = whole;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    const char byte = whole[bit / 8];
    flipped[bit / 8] = static_cast<char>(byte ^ (1 << bit % 8));
    models += is_model(flipped);
    flipped[bit / 8] = byte;
  }
  CHECK(bits > 8 * 1000);
  CHECK(models > 20);         // another seed or character is a model too
  CHECK(models < bits / 10);  // most of the header is structure
}

TEST_CASE("A small file that claims a large model is refused before memory is taken for it") {
  // The tensors that bound each of its sizes are there, but not the model's other 999 layers.
  auto text = to_text(ModelSettings{
      .vocabulary_size = 1, .n_layer = 1000, .n_head = 128, .n_embd = 128, .block_size = 1, .attention = "csa"});
  SafetensorsWriter writer;
  writer.add_metadata("settings", nlohmann::json(text).dump());
  writer.add_metadata("vocabulary", "a");
  using Heads = std::vector<std::vector<std::string>>;
  writer.add_metadata("pauli_strings", nlohmann::json(std::vector<Heads>(1000, Heads(128))).dump());
  writer.add("embedding.weight", Tensor::zeros({1, 128}));
  writer.add("positional_embedding_table.weight", Tensor::zeros({1, 128}));
  writer.add("blocks.0.feed_forward.layer.0.weight", Tensor::zeros({512, 128}));
  writer.add("blocks.999.feed_forward.layer.0.weight", Tensor::zeros({512, 128}));
  const Workplace place;
  writer.write(place.path / "small");
  CHECK_FALSE(is_model(place.read("small")));
}

}  // namespace damaged_checkpoint_test
