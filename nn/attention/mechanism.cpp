#include "nn/attention/mechanism.hpp"

#include <algorithm>
#include <array>

namespace qisa {

std::span<const MechanismEntry> mechanisms() {
  static const std::array table = {
      MechanismEntry{"csa", false, false, make_csa},        MechanismEntry{"qisa-v1", true, false, make_qisa_v1},
      MechanismEntry{"qisa-v2", true, false, make_qisa_v2}, MechanismEntry{"qisa-v3", true, false, make_qisa_v3},
      MechanismEntry{"qisa", true, true, make_qisa},
  };
  return table;
}

const MechanismEntry& find_mechanism(const std::string& name) {
  const auto table = mechanisms();
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.name == name; });
  if (found == table.end()) {
    std::string known;
    for (const auto& entry : table) known += (known.empty() ? "" : ", ") + entry.name;
    throw_error("there is no attention mechanism \"{}\"; choose one of {}", name, known);
  }
  return *found;
}

Index dead_outputs(const std::string& name, std::span<const LayerStrings> layers) {
  Index dead = 0;
  if (!find_mechanism(name).real_states) return dead;
  for (const LayerStrings& layer : layers) {
    for (const auto& head : layer)
      dead += std::count_if(head.begin(), head.end(), [](const auto& s) { return !s.is_real(); });
  }
  return dead;
}

}  // namespace qisa
