#include "quantum/circuit.hpp"

#include <algorithm>
#include <bit>

#include "tensor/error.hpp"

namespace qisa {

Circuit::Circuit(int wires) : wires_(wires) {
  require(wires >= 1 && wires <= max_wires, "a circuit has 1 to {} wires, not {}", max_wires, wires);
}

Circuit& Circuit::append(Gate gate, int target, int control) {
  operations_.push_back({gate, target, control, has_angle(gate) ? angles() : -1});
  if (has_angle(gate)) angle_names_.push_back(fmt::format("angle[{}]", angles()));
  return *this;
}

Circuit& Circuit::add(Gate gate, int wire) {
  require(!has_two_wires(gate), "gate {} needs two wires", gate_name(gate));
  require(wire >= 0 && wire < wires_, "gate {}: no wire {} in a circuit of {} wires", gate_name(gate), wire, wires_);
  return append(gate, wire, -1);
}

Circuit& Circuit::add(Gate gate, int control, int target) {
  require(has_two_wires(gate), "gate {} acts on one wire", gate_name(gate));
  require(std::min(control, target) >= 0 && std::max(control, target) < wires_ && control != target,
          "gate {}: wires {} and {} must be two different wires of {}", gate_name(gate), control, target, wires_);
  return append(gate, target, control);
}

Circuit& Circuit::name_angles(const std::string& name) {
  for (int first = named_; named_ < angles(); ++named_) {
    angle_names_[named_] = fmt::format("{}[{}]", name, named_ - first);
  }
  return *this;
}

std::string Circuit::angle_name(int angle) const {
  require(angle >= 0 && angle < angles(), "a circuit of {} angles has no angle {}", angles(), angle);
  return angle_names_[angle];
}

Circuit qisa_circuit(int wires) {
  Circuit circuit(wires);
  // The paper applies RX then RY wire by wire. Gates on different wires commute, so layer by layer
  // is the same circuit and keeps each named group of angles together.
  for (int wire = 0; wire < wires; ++wire) circuit.add(Gate::RX, wire);
  circuit.name_angles("rx0");
  for (int wire = 0; wire < wires; ++wire) circuit.add(Gate::RY, wire);
  circuit.name_angles("ry0");
  for (int wire = 0; wires > 1 && wire < wires; ++wire) circuit.add(Gate::CNOT, wire, (wire + 1) % wires);
  for (int wire = 0; wire < wires; ++wire) circuit.add(Gate::RY, wire);
  circuit.name_angles("ry1");
  return circuit;
}

int wires_for(Index width) {
  require(width >= 1, "a state needs at least 1 amplitude, not {}", width);
  return std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(width - 1))));
}

}  // namespace qisa
