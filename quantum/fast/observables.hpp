// Expectation values of many Pauli strings on a block of states (program.hpp), and their gradient.
//
// P|k> = phase(k) |k xor flips>, so <psi|P|psi> is a signed sum of products conj(psi_k') psi_k with
// k' = k xor flips. Strings with the same flips share the products:
//   flips = 0 (I and Z only):  |psi_k|^2, all k;
//   even number of Y:          Re(conj(psi_k') psi_k), one k of each pair k, k';
//   odd number of Y:           Im(conj(psi_k') psi_k), one k of each pair.
// The signs are (-1)^(ones of k among the Y and Z wires). Products that have equal signs in every string of the
// group are added up at once, into one row: two rows for one string, one for + and one for -; 2^r rows for strings
// whose sign masks have rank r over the field of two numbers. The signed sums of the rows are coefficients of their
// Walsh-Hadamard transform, which is done in place, bit after bit, without the branches that lead to no string. So
// many strings cost little more than one, and a repeated string nothing.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "quantum/pauli.hpp"
#include "tensor/real.hpp"

namespace qisa {

class Observables {
 public:
  /// `offsets[k]` is where a block holds amplitude k. In `real` states strings with an odd number of Y measure 0.
  /// Throws when there is no string, or one that has not a character for each wire.
  Observables(std::span<const PauliString> strings, std::span<const Index> offsets, bool real = false);

  Index count() const { return count_; }

  /// Room that the two functions below need, in numbers of type Real.
  Index scratch_size() const;

  /// Expectation values [count, lane_count] of the states of a block.
  void measure(const Real* state, Real* expectations, Real* scratch) const;

  /// The gradient of sum_m weights[m] <P_m> with respect to the states (d/dRe + i d/dIm), which is
  /// 2 sum_m weights[m] P_m psi. `weights` is [count, lane_count]; `gradient` is laid out as the states.
  void gradient(const Real* weights, const Real* state, Real* gradient, Real* scratch) const;

 private:
  /// One step of a transform: rows i and i + half for i from `first` to first + half - 1.
  struct Butterfly {
    Index first, half;
    bool sum, difference;  // which results are wanted: p_i + p_(i+half) in row i, p_i - p_(i+half) in i + half
  };
  /// A signed sum that is wanted: the one with signs (-1)^(ones of i & signs) over rows i of its group.
  struct Coefficient {
    Index signs;
    std::size_t string;
    Real factor;  // the sum times this is the string's expectation
    Real slope;   // the gradient with respect to the sum is the weight times this
    Index row;    // where the transform leaves it
  };
  /// The last step of a transform and the factor at once: of_low times one row plus of_high times the next is the
  /// string's expectation. If the group has one row, of_high is 0.
  struct Output {
    std::uint32_t string, low, high;  // offsets in the expectations and in the scratch space
    Real of_low, of_high;
  };
  /// Offsets of psi_k and psi_k' in a block.
  using Pair = std::array<std::uint32_t, 2>;
  /// All strings with the same flips.
  struct Group {
    Index rows;  // as many for even strings as for odd ones, if there are any
    Index each;  // pairs of a row
    Index first_even_row, first_odd_row;
    std::vector<Pair> pairs;  // of row 0, of row 1, …
    /// Adds up the products of `each` pairs for each of the rows.
    void (*sum_products)(const Pair* pairs, Index each, Index rows, const Real* state, Real* even_rows, Real* odd_rows);
  };
  /// What a group gives to the gradient of amplitude k: its even row times psi_k', its odd row times i psi_k'.
  struct Term {
    std::uint32_t flipped, even_row, odd_row;  // offsets in the block and in the scratch space
    Real sign;                                 // of the odd row
  };

  void plan(Index first_row, Index first, Index half, std::span<Coefficient> wanted);
  void add_group(std::span<const PauliString> strings, std::span<const std::size_t> members, std::size_t groups);
  std::uint32_t offset(Index k) const { return static_cast<std::uint32_t>(offsets_[static_cast<std::size_t>(k)]); }

  Index count_;
  std::vector<Index> zeros_;  // strings that measure 0
  std::vector<Index> offsets_;
  std::vector<Group> groups_;  // those with even sums only, then those with both, then those with odd sums only
  std::size_t odd_begin_ = 0, even_end_ = 0;  // the groups with odd sums are from, those with even sums up to here
  std::vector<Butterfly> butterflies_;        // all steps of the transforms but the last ones, of two rows each:
  std::vector<Butterfly> last_butterflies_;   // gradient() does these, measure() the outputs
  std::vector<Coefficient> coefficients_;
  std::vector<Output> outputs_;
  Index rows_ = 0;
  std::vector<Term> terms_;  // [2^n, groups]
};

}  // namespace qisa
