// One sweep over a block of states: successive gates on one wire or on two, done while the amplitudes that they
// mix are in registers.
//
// States are simulated in blocks of lane_count tokens that stay in the processor's cache through the whole circuit (8
// and 32 tokens were measured to be slower). A block holds their states as [2^n, 2, lane_count]: row k is amplitude k,
// its real parts of all tokens first, then its imaginary parts. Gates on one wire mix the amplitudes of a block by
// twos, gates on two wires by fours. A sweep loads such a group, applies gate after gate, and stores it: memory is
// touched once for all its gates.
#pragma once

#include <array>
#include <vector>

#include "quantum/circuit.hpp"
#include "quantum/fast/gate_kernels.hpp"

namespace qisa {

/// An amplitude of all tokens of a block: lane_count real parts, then lane_count imaginary parts.
inline constexpr Index amplitude_size = 2 * lane_count;

/// Where the amplitudes of a group lie: with the wire's bit 0 and 1; with two wires 00, 10, 01 and 11, the first
/// wire's bit first.
using Offsets = std::array<Index, 4>;

struct Sweep {
  int first_wire;
  int wires;                     // how many: 1 or 2
  std::vector<Operation> steps;  // those on the first wire first
  std::size_t first_step;        // its number among the steps of all sweeps
  std::vector<Offsets> groups;

  /// Whether the groups are all amplitudes: those of a controlled gate are not.
  bool covers(Index dimension) const { return 2 * wires * std::ssize(groups) == dimension; }
};

/// A step with its angle.
struct BoundStep {
  bool second_wire;  // of the sweep's two
  bool is_turn;
  Axis axis;              // of a rotation, whether it is done as a turn or as a matrix
  Real tangent;           // of a turn
  RoundedMatrix2 matrix;  // of any other step
  double moment_scale;    // a rotation's moment Im <g|P|psi> is this times the sum found on psi and g without cosines
};

/// Real states: `input` [2^n, lane_count] times both scales, of which each token has one of its own.
struct RealStates {
  const Real *input, *token_scale;
  Real scale;
};

/// The code for the steps of a sweep.
struct SweepKernel {
  /// All steps on a block of states, and on real ones that become such a block: for a sweep that covers all amplitudes.
  void (*run)(const Sweep& sweep, const BoundStep* steps, RealStates unused, Real* state);
  void (*run_real)(const Sweep& sweep, const BoundStep* steps, RealStates from, Real* state);

  /// Undoes the steps on states psi and gradient g, last step first. Before, adds Im <g|P|psi> to the step's sums
  /// [steps, lane_count], P its axis; sums of steps that are not rotations mean nothing. If `to_state` is false,
  /// `state` stays as it is.
  void (*undo)(const Sweep& sweep, const BoundStep* steps, Real* state, bool to_state, Real* gradient, Real* sums);
};

/// The kernel for a sweep with these steps, one for each of its own.
const SweepKernel& kernel_for(const Sweep& sweep, const BoundStep* steps);

}  // namespace qisa
