// Expectation values of many Pauli strings on a block of states (program.hpp), and their gradient.
//
// P|k> = phase(k) |k xor flips>, so <psi|P|psi> is a signed sum of products conj(psi_k') psi_k with
// k' = k xor flips. Strings with the same flips share the products:
//   flips = 0 (I and Z only):  p_k = |psi_k|^2, all k;
//   even number of Y:          p_k = Re(conj(psi_k') psi_k), one k of each pair k, k';
//   odd number of Y:           p_k = Im(conj(psi_k') psi_k), one k of each pair.
// The signs are (-1)^(ones of k among the Y and Z wires): products whose k differs in other wires alone
// are added up at once, into one row. The signed sums of the rows are coefficients of their
// Walsh-Hadamard transform, which is done in place, bit after bit, without the branches that lead to no
// string. So many strings cost little more than one, and a repeated string nothing.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "quantum/pauli.hpp"
#include "tensor/real.hpp"

namespace qisa {

class Observables {
 public:
  /// Throws when there is no string or the strings differ in length.
  explicit Observables(std::vector<PauliString> strings);

  int wires() const { return strings_.front().wires(); }
  int count() const { return static_cast<int>(strings_.size()); }
  const std::vector<PauliString>& strings() const { return strings_; }

  /// Room that the two functions below need, in numbers of type Real.
  Index scratch_size() const;

  /// Expectation values [count, B] of the states of a block. offsets[k] is where amplitude k lies.
  void measure(const Real* state, std::span<const Index> offsets, Real* expectations, Real* scratch) const;

  /// The gradient of sum_m weights[m] <P_m> with respect to the states (d/dRe + i d/dIm), which is
  /// 2 sum_m weights[m] P_m psi. `weights` is [count, B]; `gradient` is laid out as the states.
  void gradient(const Real* weights, const Real* state, std::span<const Index> offsets, Real* gradient,
                Real* scratch) const;

 private:
  /// One step of a transform: rows i and i + half for i from `first` to first + half - 1.
  struct Butterfly {
    Index first, half;
    bool sum, difference;  // which results are wanted: p_i + p_(i+half) in row i, p_i - p_(i+half) in i + half
  };
  /// A signed sum that is wanted: the one with signs (-1)^(ones of i & signs) over rows i.
  struct Coefficient {
    Index signs;
    std::size_t string;
    Real factor;  // the sum times this is the string's expectation
    Index row;    // where the transform leaves it
  };
  struct Group {
    bool odd_y;
    Index flips;
    Index first_row, rows;
    std::vector<Index> states;  // the states k of row 0, of row 1, …: as many for every row
    std::vector<Butterfly> butterflies;
    std::vector<Coefficient> coefficients;  // in the order of their signs
  };

  static void plan(Group& group, Index first, Index half, std::span<Coefficient> wanted);

  std::vector<PauliString> strings_;
  std::vector<Group> groups_;  // first those with an even number of Y
  std::size_t even_groups_ = 0;
  Index rows_ = 0;                     // of all groups
  std::vector<std::uint32_t> row_of_;  // [2^n, groups]: the row that state k and its partner belong to
};

}  // namespace qisa
