#include "nn/files/checkpoint.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "nn/files/published_checkpoint.hpp"
#include "nn/files/strict_json.hpp"
#include "nn/text/utf8.hpp"
#include "tensor/files/safetensors.hpp"
#include "tensor/files/safetensors_writer.hpp"

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

/// The result of `call`. An Error in it is said to be in `place`.
template <class Call>
auto within(const std::string& place, const Call& call) {
  try {
    return call();
  } catch (const Error& error) {
    throw_error("{}: {}", place, error.what());
  }
}

/// Throws, naming the layer and head, unless the strings are as many, and as long, as the settings ask for.
void check_pauli_strings(const ModelSettings& settings, const ModelStrings& strings) {
  const bool measures = find_mechanism(settings.attention).measures;
  const Index count = measures ? settings.head_size() : 0, wires = wires_for(settings.n_embd);
  require(std::ssize(strings) == settings.n_layer, "{} layers where the settings ask for {}", strings.size(),
          settings.n_layer);
  for (std::size_t layer = 0; layer < strings.size(); ++layer) {
    require(std::ssize(strings[layer]) == settings.n_head, "layer {} has {} heads where the settings ask for {}", layer,
            strings[layer].size(), settings.n_head);
    for (std::size_t head = 0; head < strings[layer].size(); ++head) {
      require(std::ssize(strings[layer][head]) == count, "layer {}, head {} has {} Pauli strings, not {}", layer, head,
              strings[layer][head].size(), count);
      for (const PauliString& string : strings[layer][head]) {
        require(string.wires() == wires, "layer {}, head {} has the Pauli string {} in a model of {} wires", layer,
                head, string.text(), wires);
      }
    }
  }
}

/// Reads the parts of a checkpoint one after the other.
class Reader {
 public:
  Reader(const SafetensorsFile& file, const std::string& name, NonFinite weights)
      : file_(file), name_(name), weights_(weights) {
    // Neither settings nor a trainer's state: the published code's weights.
    ours_ = file.metadata().contains("settings") || file.metadata().contains("training");
    metadata_ = ours_ ? file.metadata() : published_metadata(file, name);
  }

  Checkpoint read() const {
    const ModelSettings settings = read_settings();
    ModelStrings strings = read_strings(settings);
    check_tensors(settings, strings);
    Tokenizer tokenizer = read_tokenizer(settings);
    Checkpoint checkpoint{GPT(settings, std::move(strings), 0), std::move(tokenizer), {}};
    Parameters& parameters = checkpoint.model.parameters();
    for (const NamedParameter& part : parameters.names()) {
      const Tensor tensor = read_tensor(part.name, part.shape);
      std::copy_n(tensor.data(), tensor.size(), parameters.values().data() + part.offset);
    }
    if (metadata_.contains("training")) checkpoint.training = read_training(settings, parameters.size());
    return checkpoint;
  }

 private:
  /// An entry of the metadata, parsed. Throws when it is missing or is not what `Value` needs, `expected`.
  template <class Value>
  Value parse(const std::string& key, int depth, const char* expected) const {
    const auto found = metadata_.find(key);
    require(found != metadata_.end(), "{}: the metadata has no \"{}\", so this is not a checkpoint of this program",
            name_, key);
    const Json json = within(in_metadata(key), [&] { return parse_json(found->second, depth); });
    try {
      return json.get<Value>();
    } catch (const Json::exception&) {
      throw_error("{} must be {}", in_metadata(key), expected);
    }
  }

  std::string in_metadata(const std::string& key) const { return fmt::format("{}: the metadata \"{}\"", name_, key); }

  ModelSettings read_settings() const {
    const auto text = parse<Text>("settings", 1, "a JSON object of texts");
    return within(in_metadata("settings"), [&] {
      ModelSettings settings = settings_from_text(text);
      settings.validate();
      return settings;
    });
  }

  ModelStrings read_strings(const ModelSettings& settings) const {
    using StringTexts = std::vector<std::vector<std::vector<std::string>>>;
    const auto texts = parse<StringTexts>("pauli_strings", 3, "JSON lists of texts by layer and head");
    return within(in_metadata("pauli_strings"), [&] {
      ModelStrings strings;
      for (const auto& layer : texts) {
        LayerStrings& heads = strings.emplace_back();
        for (const auto& head : layer) heads.emplace_back(head.begin(), head.end());
      }
      check_pauli_strings(settings, strings);
      return strings;
    });
  }

  Tokenizer read_tokenizer(const ModelSettings& settings) const {
    const auto vocabulary = metadata_.find("vocabulary");
    require(vocabulary != metadata_.end(), "{}: the metadata has no \"vocabulary\"", name_);
    Tokenizer tokenizer = within(in_metadata("vocabulary"), [&] { return Tokenizer(decode_utf8(vocabulary->second)); });
    require(tokenizer.size() == settings.vocabulary_size,
            "{}: the vocabulary has {} characters where the settings ask for {}", name_, tokenizer.size(),
            settings.vocabulary_size);
    return tokenizer;
  }

  /// Throws unless the file has a tensor of this name and shape, of floating-point numbers.
  void expect_tensor(const std::string& name, const Shape& shape) const {
    require(file_.contains(name), "{}: tensor {} of shape {} is missing", name_, name, shape);
    const SafetensorsEntry& entry = file_.entry(name);
    require(entry.shape == shape, "{}: tensor {} has shape {} where the settings ask for {}", name_, name, entry.shape,
            shape);
    require(entry.dtype.find('F') != std::string::npos, "{}: tensor {} is {} where floating-point numbers are expected",
            name_, name, entry.dtype);
  }

  /// Throws unless the file holds the tensors that the settings determine and, if this program wrote it, no
  /// others. Takes no memory for weights: sizes that a small file claims are believed only when it has them.
  void check_tensors(const ModelSettings& settings, const ModelStrings& strings) const {
    std::set<std::string> known;
    const auto expect = [&](const std::string& name, const Shape& shape) {
      expect_tensor(name, shape);
      known.insert(name);
    };
    expect("embedding.weight", {settings.vocabulary_size, settings.n_embd});
    expect("positional_embedding_table.weight", {settings.block_size, settings.n_embd});
    for (std::size_t layer = 0; layer < strings.size(); ++layer) {
      const std::string block = fmt::format("blocks.{}", layer);
      expect(block + ".feed_forward.layer.0.weight", {4 * settings.n_embd, settings.n_embd});  // bounds the next line
      Parameters layout;
      const Block only_for_its_layout(layout, block, settings, strings[layer]);
      for (const NamedParameter& part : layout.names()) expect(part.name, part.shape);
    }
    expect("norm.weight", {settings.n_embd});
    expect("norm.bias", {settings.n_embd});
    if (!settings.tie_embeddings) {
      expect("fc.weight", {settings.vocabulary_size, settings.n_embd});
      expect("fc.bias", {settings.vocabulary_size});
    }
    for (const SafetensorsEntry& entry : file_.entries()) {
      require(!ours_ || entry.name.starts_with("trainer/") || known.contains(entry.name),
              "{}: tensor {} of shape {} has no place in the model that the settings describe", name_,
              quoted_for_error(entry.name), entry.shape);
    }
  }

  /// A tensor that is known to have the shape; throws if a number is not finite.
  Tensor read_tensor(const std::string& name, const Shape& shape) const {
    expect_tensor(name, shape);
    Tensor tensor = file_.tensor(name);
    for (const Real value : tensor.values()) {
      require(weights_ == NonFinite::allow || std::isfinite(value), "{}: tensor {} contains {}", name_, name, value);
    }
    return tensor;
  }

  TrainingState read_training(const ModelSettings& model, Index parameters) const {
    const char* expected = "a JSON object with steps, settings and at most best_loss";
    const auto state = parse<Json>("training", 2, expected);
    TrainingState training;
    training.best_loss = std::numeric_limits<double>::infinity();
    try {
      const Json& steps = state.at("steps");
      require(steps.is_number_unsigned() && std::in_range<Index>(steps.get<std::uint64_t>()),
              "{}: steps must be a whole number from 0 to 2^63 - 1, not {}", in_metadata("training"), steps.dump());
      training.steps = steps.get<Index>();
      if (state.contains("best_loss")) {
        const Json& loss = state.at("best_loss");
        require(loss.is_number(), "{}: best_loss must be a number, not {}", in_metadata("training"), loss.dump());
        training.best_loss = loss.get<double>();
      }
      training.settings = state.at("settings").get<Text>();
    } catch (const Json::exception&) {
      throw_error("{} must be {}", in_metadata("training"), expected);
    }
    for (const auto& [setting, value] : to_text(model)) {
      const auto found = training.settings.find(setting);
      if (found == training.settings.end() || found->second == value) continue;
      throw_error("{}: {} is {}, but {} in the model's settings", in_metadata("training"), setting,
                  quoted_for_error(found->second), quoted_for_error(value));
    }
    training.first_moment = read_tensor("trainer/first_moment", {parameters});
    training.second_moment = read_tensor("trainer/second_moment", {parameters});
    for (const Real value : training.second_moment.values()) {
      require(!(value < 0), "{}: tensor trainer/second_moment contains {}, but squares are not negative", name_, value);
    }
    return training;
  }

  const SafetensorsFile& file_;
  const std::string& name_;
  NonFinite weights_;
  bool ours_;  // or else published
  Text metadata_;
};

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

Checkpoint load_checkpoint(const std::filesystem::path& path, NonFinite weights) {
  const std::string name = path.string();
  return Reader(SafetensorsFile::read(path), name, weights).read();
}

Checkpoint parse_checkpoint(std::span<const std::byte> bytes, const std::string& name, NonFinite weights) {
  return Reader(SafetensorsFile::parse(bytes, name), name, weights).read();
}

}  // namespace qisa
