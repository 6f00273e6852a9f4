#include "nn/head_circuits.hpp"

#include <numbers>

namespace qisa {

HeadCircuits::HeadCircuits(Parameters& parameters, const std::string& name, const std::string& layer, Index n_embd,
                           const LayerStrings& strings)
    : bank_(qisa_circuit(wires_for(n_embd)), strings) {
  const int wires = bank_.circuit().wires();
  std::vector<Parameters::Part> parts;
  for (std::size_t head = 0; head < strings.size(); ++head) {
    for (const char* angles : {"rx0", "ry0", "ry1"}) {
      for (int wire = 0; wire < wires; ++wire) {
        parts.push_back({fmt::format("{}.heads.{}.qsa.{}.{}.{}.params", name, head, layer, angles, wire), {1, 1}});
      }
    }
  }
  angles_ = parameters.add({static_cast<Index>(strings.size()), 3 * wires}, parts, Initial::uniform(std::numbers::pi));
}

Variable HeadCircuits::operator()(Pass& pass, const Variable& x) const {
  if (pass.kernel() == CircuitKernel::fused) return Variable(pass.fused(bank_, angles_).measure(x.value()));
  return bank_.measure(pass(angles_), x, pass.kernel());
}

}  // namespace qisa
