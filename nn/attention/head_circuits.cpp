#include "nn/attention/head_circuits.hpp"

#include <numbers>

namespace qisa {
namespace {

/// The strings of all measurements and heads, one measurement after the other.
LayerStrings all_strings(const std::vector<HeadMeasurement>& measurements) {
  LayerStrings all;
  for (const HeadMeasurement& one : measurements) all.insert(all.end(), one.strings.begin(), one.strings.end());
  return all;
}

/// rx0.2 for the angle rx0[2].
std::string dotted(const std::string& angle) {
  const std::size_t bracket = angle.find('[');
  return angle.substr(0, bracket) + "." + angle.substr(bracket + 1, angle.size() - bracket - 2);
}

}  // namespace

HeadCircuits::HeadCircuits(Parameters& parameters, const std::string& name, const Circuit& circuit,
                           const std::vector<HeadMeasurement>& measurements)
    : bank_(circuit, all_strings(measurements)) {
  std::vector<Parameters::Part> parts;
  for (const HeadMeasurement& one : measurements) {
    for (std::size_t head = 0; head < one.strings.size(); ++head) {
      const std::string of_head = fmt::format("{}.heads.{}.qsa.{}", name, head, one.name);
      for (int angle = 0; angle < circuit.angles(); ++angle) {
        parts.push_back({fmt::format("{}.{}.params", of_head, dotted(circuit.angle_name(angle))), {1, 1}});
      }
    }
  }
  angles_ = parameters.add({bank_.size(), circuit.angles()}, parts, Initial::uniform(std::numbers::pi));
}

Variable HeadCircuits::operator()(Pass& pass, const Variable& x) const {
  return bank_.measure(pass(angles_), x, pass.kernel());
}

}  // namespace qisa
