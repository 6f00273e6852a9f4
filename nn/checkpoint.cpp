#include "nn/checkpoint.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "nn/utf8.hpp"
#include "tensor/safetensors.hpp"
#include "tensor/safetensors_writer.hpp"

namespace qisa {
namespace {

using Json = nlohmann::json;

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

/// The metadata entry, parsed. Throws when it is missing or is not what `Value` needs.
template <class Value>
Value metadata(const SafetensorsFile& file, const std::filesystem::path& path, const std::string& key) {
  const auto found = file.metadata().find(key);
  check(found != file.metadata().end(), "{}: the metadata has no \"{}\", so this is not a checkpoint of this program",
        path.string(), key);
  try {
    return Json::parse(found->second).get<Value>();
  } catch (const Json::exception&) {
    fail("{}: the metadata \"{}\" is not the JSON that was expected", path.string(), key);
  }
}

/// The file's tensor, checked to have the shape and only finite numbers.
Tensor read_tensor(const SafetensorsFile& file, const std::filesystem::path& path, const std::string& name,
                   const Shape& shape) {
  check(file.contains(name), "{}: tensor {} of shape {} is missing", path.string(), name, shape);
  Tensor tensor = file.tensor(name);
  check(tensor.shape() == shape, "{}: tensor {} has shape {} where the settings ask for {}", path.string(), name,
        tensor.shape(), shape);
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
  using Text = std::map<std::string, std::string>;
  ModelSettings settings = settings_from_text(metadata<Text>(file, path, "settings"));

  ModelStrings strings;
  using StringTexts = std::vector<std::vector<std::vector<std::string>>>;
  for (const auto& layer : metadata<StringTexts>(file, path, "pauli_strings")) {
    LayerStrings& heads = strings.emplace_back();
    for (const auto& head : layer) heads.emplace_back(head.begin(), head.end());
  }

  const auto vocabulary = file.metadata().find("vocabulary");
  check(vocabulary != file.metadata().end(), "{}: the metadata has no \"vocabulary\"", path.string());
  Checkpoint checkpoint{GPT(settings, std::move(strings), 0), Tokenizer(decode_utf8(vocabulary->second)), {}};
  check(checkpoint.tokenizer.size() == settings.vocabulary_size,
        "{}: the vocabulary has {} characters where the settings ask for {}", path.string(),
        checkpoint.tokenizer.size(), settings.vocabulary_size);

  Parameters& parameters = checkpoint.model.parameters();
  for (const NamedParameter& part : parameters.names()) {
    const Tensor tensor = read_tensor(file, path, part.name, part.shape);
    std::copy_n(tensor.data(), tensor.size(), parameters.values().data() + part.offset);
  }
  if (file.metadata().contains("training")) {
    const Json state = metadata<Json>(file, path, "training");
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
