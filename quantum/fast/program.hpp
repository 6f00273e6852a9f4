// A circuit made ready for fast simulation: gathered into sweeps, permutations done by renumbering.
//
// Three things make a program faster than its circuit:
// - Gates on other wires commute with a gate, so it joins the sweep (sweep.hpp) that last touched its wire, or one
//   that has room for a second wire. The layer RX … RX RY … RY of the paper takes a sweep for every two wires.
// - X, CNOT and SWAP only permute basis states. Nothing is moved: later sweeps look amplitudes up where they
//   already are.
// - Rotations are done as turns, without their cosines (gate_kernels.hpp). The initial state is multiplied by the
//   product of all of them instead. On the way back states and gradient lack the cosines of what has been undone,
//   which the moments and the gradient of the initial state make up for.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "quantum/circuit.hpp"
#include "quantum/fast/sweep.hpp"

namespace qisa {

/// A program with its angles.
struct BoundProgram {
  std::vector<BoundStep> steps;
  std::vector<const SweepKernel*> kernels;  // one a sweep
  Real scale;                               // the product of the cosines left out
};

/// A step's sum for each token of a block, of all blocks (SweepKernel::undo).
using Moment = std::array<double, lane_count>;

class Program {
 public:
  Program(const Circuit& circuit);

  int wires() const { return wires_; }
  /// Number of angles.
  Index angles() const { return angles_; }
  Index dimension() const { return dimension_; }
  /// Number of steps: gates other than permutations.
  std::size_t steps() const { return steps_; }
  /// offsets()[k] is where amplitude k lies in a block once the program has run.
  std::span<const Index> offsets() const { return offsets_; }

  /// The program for the given angles (radians).
  BoundProgram bind(const Real* angles) const;

  /// The circuit's final states. The initial ones are real: `input` [2^n, lane_count] times `scale` [lane_count].
  /// `state` is written.
  void run(const BoundProgram& bound, const Real* input, const Real* scale, Real* state) const;

  /// The way back. Given the final states and the gradient with respect to them (dL/dRe + i dL/dIm), adds
  /// each step's moment, and leaves in `gradient` the gradient with respect to the initial states, divided by
  /// bound.scale. The states are used up. `scratch` has room for [steps, lane_count] numbers.
  void run_backward(const BoundProgram& bound, Real* state, Real* gradient, std::span<Moment> moments,
                    Real* scratch) const;

  /// Adds dL/d angle for every angle, given the moments of all blocks.
  void add_angle_gradients(const BoundProgram& bound, std::span<const Moment> moments, Real* gradient) const;

 private:
  /// What has been done on a wire so far.
  struct Wire {
    std::optional<std::size_t> sweep;  // the sweep that another gate on this wire alone can join
    std::size_t first_sweep = 0;       // the first that is later than anything else on this wire
  };
  std::size_t sweep_for(const Operation& operation, std::span<const Wire> wires);

  int wires_;
  Index angles_, dimension_;
  std::vector<Sweep> sweeps_;
  std::size_t steps_ = 0;
  std::vector<Index> offsets_;
};

}  // namespace qisa
