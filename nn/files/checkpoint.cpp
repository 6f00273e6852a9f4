#include "nn/files/checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "nn/files/published_checkpoint.hpp"
#include "nn/text/utf8.hpp"
#include "tensor/files/json.hpp"
#include "tensor/files/safetensors.hpp"
#include "tensor/files/safetensors_writer.hpp"

/// Pauli strings are texts in JSON.
template <>
struct nlohmann::adl_serializer<qisa::PauliString> {
  static void to_json(json& json, const qisa::PauliString& string) { json = string.text(); }
  static qisa::PauliString from_json(const json& json) { return qisa::PauliString(json.get<std::string>()); }
};

namespace qisa {
namespace {

using Json = nlohmann::json;
using Texts = std::map<std::string, std::string>;

/// The result of `call`. An Error in it is said to be in `place`, and JSON of another kind not to be as `expected`.
template <class Call>
auto within(const std::string& place, const char* expected, const Call& call) {
  try {
    return call();
  } catch (const Error& error) {
    throw_error("{}: {}", place, error.what());
  } catch (const Json::exception&) {
    throw_error("{} must be {}", place, expected);
  }
}

/// Reads the parts of a checkpoint one after the other.
class CheckpointReader {
 public:
  CheckpointReader(const std::filesystem::path& path, NonFinite weights)
      : file_(SafetensorsFile::read(path)), name_(path.string()), weights_(weights) {
    // Neither settings nor a trainer's state: the published code's weights.
    ours_ = file_.metadata().contains("settings") || file_.metadata().contains("training");
    metadata_ = ours_ ? file_.metadata() : published_metadata(file_, name_);
  }

  Checkpoint read() const {
    GPT model = read_model();
    Tokenizer tokenizer = read_tokenizer(model.settings());
    Parameters& parameters = model.parameters();
    parameters.values() = Tensor({parameters.size()});
    for (const NamedParameter& part : parameters.names()) {
      const Tensor tensor = read_tensor(part.name, part.shape);
      std::copy_n(tensor.data(), tensor.size(), parameters.values().data() + part.offset);
    }
    std::optional<TrainingState> training = read_training(model);
    return {std::move(model), std::move(tokenizer), std::move(training)};
  }

 private:
  /// What `make` makes of an entry of the metadata.
  template <class Make>
  auto read_metadata(const std::string& key, const char* expected, const Make& make) const {
    require(metadata_.contains(key), "{}: the metadata has no \"{}\", so this is not a checkpoint of this program",
            name_, key);
    const std::string place = fmt::format("{}: the metadata \"{}\"", name_, key);
    return within(place, expected, [&] { return make(metadata_.at(key)); });
  }

  /// A model without weights, all of which the file is known to hold; and if this program wrote it, no others.
  /// Takes no memory for weights: sizes that a small file claims are believed only when it has them.
  GPT read_model() const {
    const auto settings = read_metadata("settings", "a JSON object of texts", [](const std::string& text) {
      const ModelSettings given = settings_from_text(parse_json(text, 1).get<Texts>());
      given.validate();
      return given;
    });
    expect_tensor("blocks.0.feed_forward.layer.0.weight", {4 * settings.n_embd, settings.n_embd});
    require(settings.n_layer * settings.n_head <= std::ssize(file_.entries()),
            "{}: {} tensors are not those of {} layers with {} heads", name_, file_.entries().size(), settings.n_layer,
            settings.n_head);
    GPT model = read_metadata("pauli_strings", "JSON lists of texts by layer and head", [&](const std::string& text) {
      return GPT(settings, parse_json(text, 3).get<ModelStrings>());
    });
    std::set<std::string> known;
    for (const NamedParameter& part : model.parameters().names()) {
      expect_tensor(part.name, part.shape);
      known.insert(part.name);
    }
    for (const SafetensorsEntry& entry : file_.entries()) {
      require(!ours_ || entry.name.starts_with("trainer/") || known.contains(entry.name),
              "{}: tensor {} of shape {} has no place in the model that the settings describe", name_,
              quoted_for_error(entry.name), Json(entry.sizes).dump());
    }
    return model;
  }

  Tokenizer read_tokenizer(const ModelSettings& settings) const {
    Tokenizer tokenizer =
        read_metadata("vocabulary", "", [](const std::string& text) { return Tokenizer(decode_utf8(text)); });
    require(tokenizer.size() == settings.vocabulary_size,
            "{}: the vocabulary has {} characters where the settings ask for {}", name_, tokenizer.size(),
            settings.vocabulary_size);
    return tokenizer;
  }

  /// Throws unless the file has a tensor of this name and shape.
  void expect_tensor(const std::string& name, const Shape& shape) const {
    require(file_.contains(name), "{}: tensor {} of shape {} is missing", name_, name, shape);
    const Shape found =
        within(fmt::format("{}: tensor {}", name_, name), "", [&] { return file_.entry(name).shape(); });
    require(found == shape, "{}: tensor {} has shape {} where the settings ask for {}", name_, name, found, shape);
  }

  /// A tensor that must have this shape; throws if a number is not finite.
  Tensor read_tensor(const std::string& name, const Shape& shape) const {
    expect_tensor(name, shape);
    Tensor tensor = file_.tensor(name);
    for (const Real value : tensor.values()) {
      require(weights_ == NonFinite::allow || std::isfinite(value), "{}: tensor {} contains {}", name_, name, value);
    }
    return tensor;
  }

  /// None if there was no training, or its tensors were taken out of the file.
  std::optional<TrainingState> read_training(const GPT& model) const {
    const std::string first = "trainer/first_moment", second = "trainer/second_moment";
    if (!metadata_.contains("training") || (!file_.contains(first) && !file_.contains(second))) return {};
    TrainingState training;
    read_metadata("training", "a JSON object with steps, settings and at most best_loss", [&](const std::string& text) {
      const Json state = parse_json(text, 2);
      const Json& steps = state.at("steps");
      require(steps.is_number_unsigned() && std::in_range<Index>(steps.get<std::uint64_t>()),
              "steps must be a whole number from 0 to 2^63 - 1, not {}", steps.dump());
      training.steps = steps;
      const Json loss = state.value("best_loss", Json(std::numeric_limits<double>::infinity()));
      require(loss.is_number(), "best_loss must be a number, not {}", loss.dump());
      training.best_loss = loss;
      training.settings = state.at("settings").get<Texts>();
      training.data = state.value("data", "");
      for (const auto& [setting, value] : to_text(model.settings())) {
        const std::string& given = training.settings.contains(setting) ? training.settings.at(setting) : value;
        require(given == value, "{} is {}, but {} in the model's settings", setting, quoted_for_error(given),
                quoted_for_error(value));
      }
      if (state.contains("unreported")) {
        const auto numbers = state.at("unreported").get<std::array<double, 3>>();
        training.unreported = StepReport{numbers[0], numbers[1], numbers[2]};
      }
    });
    training.first_moment = read_tensor(first, {model.parameters().size()});
    training.second_moment = read_tensor(second, {model.parameters().size()});
    for (const Real value : training.second_moment.values()) {
      require(!(value < 0), "{}: tensor {} contains {}, but squares are not negative", name_, second, value);
    }
    return training;
  }

  SafetensorsFile file_;
  std::string name_;
  NonFinite weights_;
  bool ours_;  // or else published
  Texts metadata_;
};

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const GPT& model, const Tokenizer& tokenizer,
                     const TrainingState* training) {
  SafetensorsWriter writer;
  writer.add_metadata("settings", Json(to_text(model.settings())).dump());
  writer.add_metadata("pauli_strings", Json(model.pauli_strings()).dump());
  writer.add_metadata("vocabulary", encode_utf8(tokenizer.vocabulary()));
  const Parameters& parameters = model.parameters();
  for (const NamedParameter& part : parameters.names()) {
    writer.add(part.name, parameters.values().part(part.offset, part.shape));
  }
  if (training) {
    Json state = {{"steps", training->steps}, {"settings", training->settings}, {"data", training->data}};
    if (std::isfinite(training->best_loss)) state["best_loss"] = training->best_loss;
    if (const auto& step = training->unreported) {
      state["unreported"] = {step->loss, step->gradient_norm, step->learning_rate};
    }
    writer.add_metadata("training",
                        state.dump(-1, ' ', false, Json::error_handler_t::replace));  // a path may not be UTF-8
    writer.add("trainer/first_moment", training->first_moment);
    writer.add("trainer/second_moment", training->second_moment);
  }
  writer.write(path);
}

Checkpoint load_checkpoint(const std::filesystem::path& path, NonFinite weights) {
  return CheckpointReader(path, weights).read();
}

}  // namespace qisa
