#include "nn/attention/head_linear.hpp"

#include "autograd/operations.hpp"

namespace qisa {

HeadLinear::HeadLinear(Parameters& parameters, const std::string& name, const ModelSettings& settings,
                       const std::vector<std::string>& maps, Index size, Bias bias) {
  const Index width = settings.n_embd, rows = std::ssize(maps) * settings.n_head * size;
  std::vector<Parameters::Part> weights, biases;
  for (const std::string& map : maps) {
    for (Index head = 0; head < settings.n_head; ++head) {
      const std::string of_head = fmt::format("{}.heads.{}.{}", name, head, map);
      weights.push_back({of_head + ".weight", {size, width}});
      biases.push_back({of_head + ".bias", {size}});
    }
  }
  weight_ = parameters.add({rows, width}, weights, settings.weight_initial(width));
  if (bias == Bias::learned) bias_ = parameters.add({rows}, biases, settings.bias_initial(width));
}

Variable HeadLinear::operator()(Pass& pass, const Variable& x) const {
  return linear(x, pass(weight_), bias_ ? pass(*bias_) : Variable());
}

}  // namespace qisa
