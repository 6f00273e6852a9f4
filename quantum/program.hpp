// A circuit made ready for fast simulation: gates merged, permutations done by renumbering.
//
// States are simulated in blocks of B tokens that stay in the processor's cache through the whole
// circuit. A block holds the states of B tokens as [2^n, 2, B]: row k is amplitude k, its real parts
// of all tokens first, then its imaginary parts. So every kernel is a loop over pairs of rows
// with straight vector code inside, the same for all tokens.
//
// Two things make a program shorter than its circuit:
// - Successive gates on one wire are one 2x2 matrix. Gates on other wires commute with them, so the
//   layer RX … RX RY … RY of the paper is one matrix a wire.
// - X, CNOT and SWAP only permute basis states. Nothing is moved: later pairs are looked up where
//   the permuted amplitudes already are.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "quantum/circuit.hpp"
#include "tensor/lanes.hpp"
#include "tensor/real.hpp"

namespace qisa {

/// Tokens of a block: one 512-bit vector of floats. 8 and 32 were measured to be slower.
inline constexpr Index B = 16;

/// An amplitude of all tokens of a block: B real parts, then B imaginary parts.
inline constexpr Index amplitude_size = 2 * B;

/// One merged gate: a 2x2 matrix that acts on pairs of rows of a block.
struct Step {
  std::vector<Operation> operations;        // the gates merged, first applied first
  std::vector<std::array<Index, 2>> pairs;  // offsets of the two rows within a block
  bool real = true;                         // whether the matrix is real: RY, H, Z, … only

  /// Whether the pairs are all rows: those of a controlled gate are not.
  bool covers(Index dimension) const { return 2 * static_cast<Index>(pairs.size()) == dimension; }
};

/// A 2x2 complex matrix, entries row-major.
struct RealMatrix2 {
  std::array<Real, 4> re, im;
};

/// Im <g| P |psi> for P = X, Y, Z on the pairs of one step, one sum for each token of a block.
using Moments = std::array<std::array<double, B>, 3>;

class Program {
 public:
  Program(const Circuit& circuit);

  int wires() const { return wires_; }
  /// Number of angles.
  Index angles() const { return angles_; }
  Index dimension() const { return dimension_; }
  const std::vector<Step>& steps() const { return steps_; }
  /// offsets()[k] is where amplitude k lies in a block once the program has run.
  std::span<const Index> offsets() const { return offsets_; }

  /// The matrices of all steps for the given angles (radians).
  std::vector<RealMatrix2> matrices(const Real* angles) const;

  /// The circuit's final states. `input` holds real initial states [2^n, B]; `state` is written.
  void run(std::span<const RealMatrix2> matrices, const Real* input, Real* state) const;

  /// The way back. Given the final states and the gradient with respect to them (dL/dRe + i dL/dIm),
  /// adds each step's moments, and leaves in `gradient` the gradient with respect to the initial
  /// states if `to_input` holds. `scratch` has room for a block of states.
  void run_backward(std::span<const RealMatrix2> matrices, const Real* states, Real* gradient,
                    std::span<Moments> moments, bool to_input, Real* scratch) const;

  /// Adds dL/d angle for every angle, given the moments of all blocks.
  void add_angle_gradients(const Real* angles, std::span<const Moments> moments, Real* gradient) const;

 private:
  int wires_;
  Index angles_, dimension_;
  std::vector<Step> steps_;
  std::size_t first_layer_ = 0;  // this many leading steps act on wires of their own
  std::vector<Index> offsets_;
};

}  // namespace qisa
