// A quantum circuit as data: a list of gates on numbered wires.
//
// One circuit is drawn (drawing.hpp), written as OpenQASM (openqasm.hpp), run gate by gate in the
// graph (stepwise.hpp), trained by the adjoint method (adjoint.hpp) and fused for inference
// (fused.hpp). Angles are not in the circuit: gates refer to them by index, so that one circuit
// serves every head and layer.
#pragma once

#include <string>
#include <vector>

#include "quantum/gate.hpp"
#include "tensor/real.hpp"

namespace qisa {

/// One gate of a circuit.
struct Operation {
  Gate gate;
  int target;
  int control = -1;  // control wire, or SWAP's other wire; -1 for gates on one wire
  int angle = -1;    // index into the angles; -1 for gates without one
};

class Circuit {
 public:
  static constexpr int max_wires = 16;

  /// An empty circuit. Throws unless 1 <= wires <= max_wires.
  explicit Circuit(int wires);

  /// Appends a gate on one wire; a rotation takes the next free angle.
  /// Throws when the wire does not exist or the gate needs two.
  Circuit& add(Gate gate, int wire);
  /// Appends a gate on two wires; for SWAP the order does not matter.
  /// Throws when a wire does not exist or both are the same.
  Circuit& add(Gate gate, int control, int target);
  /// Names the angles added since the last call, for drawings: "rx0" stands for rx0[0], rx0[1], …
  Circuit& name_angles(const std::string& name);

  int wires() const { return wires_; }
  /// Number of basis states, 2^wires.
  Index dimension() const { return Index{1} << wires_; }
  int angles() const { return static_cast<int>(angle_names_.size()); }
  /// The name of an angle: "rx0[2]", or "angle[7]" if it was given none.
  std::string angle_name(int angle) const;
  const std::vector<Operation>& operations() const { return operations_; }

 private:
  Circuit& append(Gate gate, int target, int control);

  int wires_;
  int named_ = 0;
  std::vector<Operation> operations_;
  std::vector<std::string> angle_names_;
};

/// The circuit C(rx0, ry0, ry1) of the paper (arXiv 2603.03318): RX and RY on each wire, a ring of
/// CNOTs, RY on each wire. Angles: rx0 of all wires, then ry0, then ry1. With one wire there is no
/// ring.
Circuit qisa_circuit(int wires);

/// The fewest wires, at least 1, whose states have room for `width` amplitudes.
int wires_for(Index width);

}  // namespace qisa
