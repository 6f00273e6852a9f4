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
  /// One step of a transform: rows i and i + half, for `half` numbers i from `first` on, become their sum and their
  /// difference, as far as these are wanted.
  struct Butterfly {
    Index first, half;
    bool sum, difference;
  };
  /// What a string is of the transformed rows. Offsets in the expectations and in the scratch space.
  struct Output {
    Index string, row;
    Real factor;  // the row times this is the expectation
    Real slope;   // the weight times this is the gradient with respect to the row
  };
  /// Offsets of psi_k and psi_k' in a block.
  using Pair = std::array<std::uint32_t, 2>;
  /// What a group gives to the gradient of amplitude k: its even row times psi_k', its odd row times i psi_k'.
  struct Term {
    std::uint32_t flipped, rows[2];  // offsets in the block and in the scratch space
    Real sign;                       // of the odd row
  };
  /// All strings with the same flips.
  struct Group {
    Index flips;
    std::vector<Index> basis;  // of the masks by which signs differ
    Index rows;                // as many for even strings as for odd ones, if there are any
    Index first_rows[2];       // of the even strings, of the odd ones
    std::vector<Pair> pairs;   // of row 0, of row 1, …, as many for each
  };

  void add_group(Index flips, std::span<const PauliString> strings, std::span<const Index> members);
  /// Calls visit.operator()<even, odd>(groups) for the groups with even strings only, both, and odd strings only.
  template <class Visit>
  void for_each_kind(Visit visit) const;

  Index count_;
  std::vector<Index> zeros_;  // where strings that measure 0 are in the expectations
  std::vector<std::uint32_t> offsets_;
  std::vector<Group> groups_[2][2];  // [whether there are even strings][odd ones]
  std::vector<Term> terms_;          // of amplitudes 0 and 1 by each group, then of 2 and 3, …: as they are read
  std::vector<Butterfly> butterflies_;
  std::vector<Output> outputs_;
  Index rows_ = 0;
};

}  // namespace qisa
