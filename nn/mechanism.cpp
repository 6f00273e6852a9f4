#include "nn/mechanism.hpp"

#include <algorithm>
#include <array>

namespace qisa {

std::span<const MechanismEntry> mechanisms() {
  static const std::array table = {
      MechanismEntry{"csa", false, make_csa},
      MechanismEntry{"qisa-v3", true, make_qisa_v3},
  };
  return table;
}

const MechanismEntry& find_mechanism(const std::string& name) {
  const auto table = mechanisms();
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.name == name; });
  if (found == table.end()) {
    std::string known;
    for (const auto& entry : table) known += (known.empty() ? "" : ", ") + entry.name;
    fail("there is no attention mechanism \"{}\"; choose one of {}", name, known);
  }
  return *found;
}

}  // namespace qisa
