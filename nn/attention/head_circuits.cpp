#include "nn/attention/head_circuits.hpp"

#include <numbers>

#include "quantum/circuit_bank.hpp"

namespace qisa {
namespace {

/// rx0.2 for the angle rx0[2].
std::string dotted(std::string angle) {
  angle[angle.rfind('[')] = '.';
  angle.pop_back();
  return angle;
}

}  // namespace

std::function<Variable(Pass&, const Variable&)> head_circuits(const LayerContext& layer, const Circuit& circuit,
                                                              const std::vector<HeadMeasurement>& measurements) {
  LayerStrings strings;
  std::vector<NamedParameter> parts;
  for (const HeadMeasurement& one : measurements) {
    for (std::size_t head = 0; head < one.strings.size(); ++head) {
      strings.push_back(one.strings[head]);
      const std::string of_head = fmt::format("{}.heads.{}.qsa.{}", layer.name, head, one.name);
      for (int angle = 0; angle < circuit.angles(); ++angle) {
        parts.push_back({fmt::format("{}.{}.params", of_head, dotted(circuit.angle_name(angle))), {1, 1}});
      }
    }
  }
  const CircuitBank bank(circuit, strings);
  const Parameter angles =
      layer.parameters.add({bank.size(), circuit.angles()}, parts, Initial::uniform(std::numbers::pi));
  return [=](Pass& pass, const Variable& x) { return bank.measure(pass(angles), x, pass.kernel()); };
}

}  // namespace qisa
