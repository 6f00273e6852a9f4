// Which pairs of amplitudes a gate mixes: the one loop under every state-vector kernel.
#pragma once

#include "quantum/circuit.hpp"

namespace qisa {

/// The bit of a basis index that belongs to `wire`.
inline Index wire_bit(int wires, int wire) { return Index{1} << (wires - 1 - wire); }

/// Calls visit(i0, i1) for each pair of basis states that the operation mixes: i0 is the state whose
/// target bit is 0. SWAP pairs target 0, other 1 with target 1, other 0.
template <class Visit>
void for_each_pair(int wires, const Operation& operation, Visit visit) {
  const Index target = wire_bit(wires, operation.target);
  const Index control = operation.control < 0 ? 0 : wire_bit(wires, operation.control);
  const Index flipped = operation.gate == Gate::SWAP ? target | control : target;
  for (Index i = 0; i < Index{1} << wires; ++i) {
    if ((i & target) == 0 && (i & control) == control) visit(i, i ^ flipped);
  }
}

}  // namespace qisa
