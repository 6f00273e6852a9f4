#include "nn/attention/head_linear.hpp"

namespace qisa {

Linear head_linear(const LayerContext& layer, const std::vector<std::string>& maps, Index size, Bias bias) {
  const Index width = layer.settings.n_embd, rows = std::ssize(maps) * layer.settings.n_head * size;
  std::vector<NamedParameter> weights, biases;
  for (const std::string& map : maps) {
    for (Index head = 0; head < layer.settings.n_head; ++head) {
      const std::string of_head = fmt::format("{}.heads.{}.{}", layer.name, head, map);
      weights.push_back({of_head + ".weight", {size, width}});
      biases.push_back({of_head + ".bias", {size}});
    }
  }
  const Parameter weight = layer.parameters.add({rows, width}, weights, layer.settings.weight_initial(width));
  if (bias == Bias::none) return Linear(weight);
  return Linear(weight, layer.parameters.add({rows}, biases, layer.settings.bias_initial(width)));
}

}  // namespace qisa
