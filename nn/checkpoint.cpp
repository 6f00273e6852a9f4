#include "nn/checkpoint.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "nn/published_checkpoint.hpp"
#include "nn/utf8.hpp"
#include "tensor/safetensors.hpp"
#include "tensor/safetensors_writer.hpp"

namespace qisa {
namespace {

using Json = nlohmann::json;
using Text = std::map<std::string, std::string>;

Json to_json(const ModelStrings& strings) {
  Json json = Json::array();
  for (const LayerStrings& layer : strings) {
    Json heads = Json::array();
    for (const auto& head : layer) {
      Json texts = Json::array();
      for (const PauliString& string : head) texts.push_back(string.text());
      heads.push_back(texts);
    }
    json.push_back(heads);
  }
  return json;
}

/// An entry of the metadata, parsed. Throws when it is missing or is not what `Value` needs.
template <class Value>
Value parse(const Text& metadata, const std::filesystem::path& path, const std::string& key) {
  const auto found = metadata.find(key);
  check(found != metadata.end(), "{}: the metadata has no \"{}\", so this is not a checkpoint of this program",
        path.string(), key);
  try {
    return Json::parse(found->second).get<Value>();
  } catch (const Json::exception&) {
    fail("{}: the metadata \"{}\" is not the JSON that was expected", path.string(), key);
  }
}

/// Throws unless the file has a tensor of this name and shape.
void expect_tensor(const SafetensorsFile& file, const std::filesystem::path& path, const std::string& name,
                   const Shape& shape) {
  check(file.contains(name), "{}: tensor {} of shape {} is missing", path.string(), name, shape);
  check(file.entry(name).shape == shape, "{}: tensor {} has shape {} where the settings ask for {}", path.string(),
        name, file.entry(name).shape, shape);
}

/// The file's tensor, checked to have the shape and only finite numbers.
Tensor read_tensor(const SafetensorsFile& file, const std::filesystem::path& path, const std::string& name,
                   const Shape& shape) {
  expect_tensor(file, path, name, shape);
  Tensor tensor = file.tensor(name);
  for (const Real value : tensor.values()) {
    check(std::isfinite(value), "{}: tensor {} contains {}", path.string(), name, value);
  }
  return tensor;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const GPT& model, const Tokenizer& tokenizer,
                     const TrainingState* training) {
  SafetensorsWriter writer;
  writer.add_metadata("settings", Json(to_text(model.settings())).dump());
  writer.add_metadata("pauli_strings", to_json(model.pauli_strings()).dump());
  writer.add_metadata("vocabulary", encode_utf8(tokenizer.vocabulary()));
  const Parameters& parameters = model.parameters();
  for (const NamedParameter& part : parameters.names()) {
    writer.add(part.name, parameters.values().part(part.offset, part.shape));
  }
  if (training) {
    Json state = {{"steps", training->steps}, {"settings", training->settings}};
    if (std::isfinite(training->best_loss)) state["best_loss"] = training->best_loss;
    writer.add_metadata("training", state.dump());
    writer.add("trainer/first_moment", training->first_moment);
    writer.add("trainer/second_moment", training->second_moment);
  }
  writer.write(path);
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  const SafetensorsFile file = SafetensorsFile::read(path);
  // Neither settings nor a trainer's state: the published code's weights.
  const bool ours = file.metadata().contains("settings") || file.metadata().contains("training");
  const Text metadata = ours ? file.metadata() : published_metadata(file, path.string());
  const ModelSettings settings = settings_from_text(parse<Text>(metadata, path, "settings"));
  settings.validate();
  // Before memory is taken for a model of these sizes: the file holds the tensors that they determine.
  expect_tensor(file, path, "embedding.weight", {settings.vocabulary_size, settings.n_embd});
  expect_tensor(file, path, "positional_embedding_table.weight", {settings.block_size, settings.n_embd});
  expect_tensor(file, path, fmt::format("blocks.{}.feed_forward.layer.0.weight", settings.n_layer - 1),
                {4 * settings.n_embd, settings.n_embd});

  ModelStrings strings;
  using StringTexts = std::vector<std::vector<std::vector<std::string>>>;
  for (const auto& layer : parse<StringTexts>(metadata, path, "pauli_strings")) {
    LayerStrings& heads = strings.emplace_back();
    for (const auto& head : layer) heads.emplace_back(head.begin(), head.end());
  }

  const auto vocabulary = metadata.find("vocabulary");
  check(vocabulary != metadata.end(), "{}: the metadata has no \"vocabulary\"", path.string());
  Checkpoint checkpoint{GPT(settings, std::move(strings), 0), Tokenizer(decode_utf8(vocabulary->second)), {}};
  check(checkpoint.tokenizer.size() == settings.vocabulary_size,
        "{}: the vocabulary has {} characters where the settings ask for {}", path.string(),
        checkpoint.tokenizer.size(), settings.vocabulary_size);

  Parameters& parameters = checkpoint.model.parameters();
  for (const NamedParameter& part : parameters.names()) {
    const Tensor tensor = read_tensor(file, path, part.name, part.shape);
    std::copy_n(tensor.data(), tensor.size(), parameters.values().data() + part.offset);
  }
  if (metadata.contains("training")) {
    const Json state = parse<Json>(metadata, path, "training");
    try {
      checkpoint.training = TrainingState{
          state.at("steps").get<Index>(), read_tensor(file, path, "trainer/first_moment", {parameters.size()}),
          read_tensor(file, path, "trainer/second_moment", {parameters.size()}),
          state.contains("best_loss") ? state.at("best_loss").get<double>() : std::numeric_limits<double>::infinity(),
          state.at("settings").get<Text>()};
    } catch (const Json::exception&) {
      fail("{}: the metadata \"training\" lacks the steps or settings", path.string());
    }
  }
  return checkpoint;
}

}  // namespace qisa
