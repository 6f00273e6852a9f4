#include "nn/files/published_checkpoint.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "nn/settings.hpp"

namespace qisa {
namespace {

using Metadata = std::map<std::string, std::string>;

/// A tensor that every head of a mechanism has, and no head of a mechanism further down.
struct Mark {
  const char *tensor, *mechanism;
};
constexpr std::array marks = {Mark{"query.weight", "csa"}, Mark{"qsa.v_linear.weight", "qisa"},
                              Mark{"qsa.q_linear.weight", "qisa-v3"},
                              Mark{"qsa.q_slow.rx0.0.params", "qisa-v1 or qisa-v2"}};

/// How many tensors there are of the names PREFIX0SUFFIX, PREFIX1SUFFIX, …
Index count_numbered(const SafetensorsFile& file, const std::string& prefix, const std::string& suffix) {
  Index count = 0;
  while (file.contains(fmt::format("{}{}{}", prefix, count, suffix))) ++count;
  return count;
}

const Mark& find_mark(const SafetensorsFile& file, const std::string& name) {
  for (const Mark& mark : marks) {
    if (file.contains(fmt::format("blocks.0.mhsa.heads.0.{}", mark.tensor))) return mark;
  }
  throw_error(
      "{}: this is no checkpoint: it has neither the metadata \"settings\" nor an attention head by the names of the "
      "published code, such as blocks.0.mhsa.heads.0.query.weight",
      name);
}

/// The shape of a matrix of the file.
Shape matrix_shape(const SafetensorsFile& file, const std::string& name, const std::string& tensor) {
  const Shape shape = file.entry(tensor).shape();
  require(shape.rank() == 2, "{}: tensor {} has shape {}, but is a matrix in the published code", name, tensor, shape);
  return shape;
}

/// Throws, and shows how to save the file, unless its metadata has what its tensors leave open.
void check_complete(const Metadata& metadata, const std::string& name, bool measures, bool ambiguous) {
  std::vector<std::string> missing, entries;
  const auto need = [&](const char* key, const char* value) {
    if (!metadata.contains(key)) missing.push_back(fmt::format("\"{}\"", key));
    entries.push_back(fmt::format("\"{}\": {}", key, value));
  };
  if (ambiguous) need("mechanism", "\"qisa-v1\" or \"qisa-v2\"");
  if (measures) need("pauli_strings", "json.dumps(strings by [layer][head][m])");
  need("vocabulary", "\"\".join(characters in order)");
  require(missing.empty(),
          "{}: the metadata has no {}, which a state_dict lacks; save it with safetensors.torch.save_file(state_dict, "
          "path, metadata={{{}}})",
          name, fmt::join(missing, " and no "), fmt::join(entries, ", "));
}

}  // namespace

Metadata published_metadata(const SafetensorsFile& file, const std::string& name) {
  const Mark& mark = find_mark(file, name);
  const bool measures = mark.mechanism != std::string("csa");
  const bool ambiguous = &mark == &marks.back();
  Metadata metadata = file.metadata();
  check_complete(metadata, name, measures, ambiguous);
  const std::string mechanism = ambiguous ? metadata.at("mechanism") : mark.mechanism;
  require(!ambiguous || mechanism == "qisa-v1" || mechanism == "qisa-v2",
          "{}: the metadata \"mechanism\" is {}, but the tensors are of {}", name, mechanism, mark.mechanism);

  const Shape embedding = matrix_shape(file, name, "embedding.weight");
  const Shape positions = matrix_shape(file, name, "positional_embedding_table.weight");
  const ModelSettings shown{.vocabulary_size = embedding[0],
                            .n_layer = count_numbered(file, "blocks.", ".norm1.weight"),
                            .n_head = count_numbered(file, "blocks.0.mhsa.heads.", std::string(".") + mark.tensor),
                            .n_embd = embedding[1],
                            .block_size = positions[0],
                            .attention = mechanism};
  Metadata settings = to_text(shown);
  metadata.emplace("normalizer", "softmax");
  metadata.emplace("aggregation", measures ? "transposed" : "causal");
  for (const char* key : {"normalizer", "aggregation"}) settings[key] = metadata.at(key);
  metadata["settings"] = nlohmann::json(settings).dump();
  if (!measures) {
    using Heads = std::vector<std::vector<std::string>>;
    metadata["pauli_strings"] = nlohmann::json(std::vector(shown.n_layer, Heads(shown.n_head))).dump();
  }
  return metadata;
}

}  // namespace qisa
