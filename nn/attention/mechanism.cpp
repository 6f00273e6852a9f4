#include "nn/attention/mechanism.hpp"

#include <algorithm>
#include <array>

namespace qisa {

// The list is read twice: each line declares the function that a mechanism's file ends with, and calls it.
#define QISA_MECHANISM(name) MechanismEntry name##_mechanism();
#include "nn/attention/mechanisms.def"
#undef QISA_MECHANISM

std::span<const MechanismEntry> mechanisms() {
  static const std::array table = {
#define QISA_MECHANISM(name) name##_mechanism(),
#include "nn/attention/mechanisms.def"
#undef QISA_MECHANISM
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
    for (const auto& head : layer) dead += std::ranges::count(head, false, &PauliString::is_real);
  }
  return dead;
}

}  // namespace qisa
