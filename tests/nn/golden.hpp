// Golden files: models, training runs and optimizer steps of the published reference, as safetensors
// files in the folder QISA_GOLDEN_DIR (default: tests/golden). Their metadata says what they hold.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nn/gpt.hpp"
#include "tensor/files/safetensors.hpp"
#include "tests/tensor/safetensors_bytes.hpp"

namespace qisa::test {

struct GoldenFile {
  std::string path;
  SafetensorsFile content;
};

/// The files whose metadata "kind" is `kind`, in order of their names.
inline std::vector<GoldenFile> golden_files(const std::string& kind) {
  const char* chosen = std::getenv("QISA_GOLDEN_DIR");
  const std::filesystem::path folder = chosen != nullptr ? chosen : QISA_SOURCE_DIR "/tests/golden";
  std::vector<GoldenFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".safetensors") continue;
    SafetensorsFile content = SafetensorsFile::read(entry.path());
    if (content.metadata().at("kind") == kind) files.push_back({entry.path().string(), std::move(content)});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

/// The program's name of a file's mechanism: the reference says v1, v2 and v3.
inline std::string golden_mechanism(const SafetensorsFile& file) {
  const std::string name = file.metadata().at("mechanism");
  return name.starts_with("v") ? "qisa-" + name : name;
}

/// Whether the program has the file's mechanism.
inline bool has_mechanism(const SafetensorsFile& file) {
  return std::any_of(mechanisms().begin(), mechanisms().end(),
                     [&](const auto& entry) { return entry.name == golden_mechanism(file); });
}

inline ModelSettings golden_settings(const SafetensorsFile& file) {
  const auto number = [&](const char* key) { return Index{std::stoll(file.metadata().at(key))}; };
  const std::string& order = file.metadata().at("order");
  REQUIRE((order == "causal" || order == "reference"));
  ModelSettings settings;
  settings.vocabulary_size = number("vocab_size");
  settings.n_layer = number("n_layer");
  settings.n_head = number("n_head");
  settings.n_embd = number("n_embed");
  settings.block_size = number("block_size");
  settings.attention = golden_mechanism(file);
  settings.normalizer = settings.attention == "csa" ? Normalizer::sum : Normalizer::softmax;
  settings.aggregation = order == "causal" ? Aggregation::causal : Aggregation::transposed;
  return settings;
}

/// The file's model, with the weights PREFIX<name>. Fails unless these and the model's parameters are
/// the same, by names and shapes.
inline GPT golden_model(const SafetensorsFile& file, const std::string& prefix) {
  const ModelSettings settings = golden_settings(file);
  ModelStrings strings;
  for (const auto& layer : nlohmann::json::parse(file.metadata().at("pauli_strings"))) {
    LayerStrings& heads = strings.emplace_back();
    for (const std::vector<std::string> texts : layer) heads.emplace_back(texts.begin(), texts.end());
    if (heads.empty()) heads.resize(static_cast<std::size_t>(settings.n_head));  // a mechanism without strings
  }
  GPT model(settings, std::move(strings));
  model.parameters().initialize(0);

  const auto is_weight = [&](const SafetensorsEntry& entry) { return entry.name.starts_with(prefix); };
  const auto stored = std::count_if(file.entries().begin(), file.entries().end(), is_weight);
  REQUIRE(stored == std::ssize(model.parameters().names()));
  for (const NamedParameter& part : model.parameters().names()) {
    INFO(prefix << part.name);
    const Tensor weight = file.tensor(prefix + part.name);
    REQUIRE(weight.shape() == part.shape);
    std::copy_n(weight.data(), weight.size(), model.parameters().values().data() + part.offset);
  }
  return model;
}

/// Integers from `first` on, as tokens.
inline std::vector<std::int32_t> golden_tokens(const SafetensorsFile& file, const std::string& name, Index first,
                                               Index count) {
  const std::vector<Index> all = integers_of(file, name);
  REQUIRE(first + count <= std::ssize(all));
  return {all.begin() + first, all.begin() + first + count};
}

/// The largest difference of entries, relative to the largest expected entry or, where all are
/// smaller, to `smallest`; infinite when the sizes differ or an entry is not a number.
inline double relative_error(const Tensor& actual, const Tensor& expected, double smallest) {
  if (actual.size() != expected.size()) return INFINITY;
  double largest = smallest, error = 0;
  for (Index i = 0; i < actual.size(); ++i) {
    const double a = static_cast<double>(actual[i]), b = static_cast<double>(expected[i]);
    if (std::isnan(a - b)) return INFINITY;
    largest = std::max(largest, std::abs(b));
    error = std::max(error, std::abs(a - b));
  }
  return error / largest;
}

}  // namespace qisa::test
