#include "nn/attention/head_circuits.hpp"

#include <numbers>

namespace qisa {
namespace {

/// The strings of all circuits and heads, circuit after circuit.
LayerStrings all_strings(const std::vector<HeadCircuit>& circuits) {
  LayerStrings all;
  for (const HeadCircuit& circuit : circuits) all.insert(all.end(), circuit.strings.begin(), circuit.strings.end());
  return all;
}

}  // namespace

HeadCircuits::HeadCircuits(Parameters& parameters, const std::string& name, Index n_embd,
                           const std::vector<HeadCircuit>& circuits)
    : bank_(qisa_circuit(wires_for(n_embd)), all_strings(circuits)) {
  const int wires = bank_.circuit().wires();
  std::vector<Parameters::Part> parts;
  for (const HeadCircuit& circuit : circuits) {
    for (std::size_t head = 0; head < circuit.strings.size(); ++head) {
      for (const char* angles : {"rx0", "ry0", "ry1"}) {
        for (int wire = 0; wire < wires; ++wire) {
          parts.push_back(
              {fmt::format("{}.heads.{}.qsa.{}.{}.{}.params", name, head, circuit.name, angles, wire), {1, 1}});
        }
      }
    }
  }
  angles_ = parameters.add({bank_.size(), 3 * wires}, parts, Initial::uniform(std::numbers::pi));
}

Variable HeadCircuits::operator()(Pass& pass, const Variable& x) const {
  return bank_.measure(pass(angles_), x, pass.kernel());
}

}  // namespace qisa
