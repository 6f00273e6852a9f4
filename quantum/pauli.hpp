// Pauli strings: products of I, X, Y, Z, one a wire, whose expectation values are measured.
//
// As a matrix a string P has one entry in each column: P|i> = phase(i) |i xor flips>, where `flips`
// are the bits of the X and Y wires, and phase(i) = i^(number of Y) (-1)^(ones of i among the Y and Z
// wires). That is all that any kernel needs to know of it.
#pragma once

#include <bit>
#include <complex>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/random.hpp"
#include "tensor/real.hpp"

namespace qisa {

class PauliString {
 public:
  /// Character k acts on wire k. Throws on characters other than I, X, Y, Z, and on more than
  /// Circuit::max_wires or no characters.
  explicit PauliString(std::string_view text);

  int wires() const { return static_cast<int>(text_.size()); }
  const std::string& text() const { return text_; }
  /// Basis-index bits that the string flips: the wires of X and Y.
  Index flips() const { return flips_; }
  /// Basis-index bits whose value 1 gives a factor -1: the wires of Y and Z.
  Index signs() const { return signs_; }
  int number_of_y() const { return std::popcount(static_cast<std::uint64_t>(flips_ & signs_)); }
  /// Whether the matrix is real. If not, it is imaginary, and its expectation in any real state is 0.
  bool is_real() const { return number_of_y() % 2 == 0; }
  /// phase(i) in P|i> = phase(i) |i xor flips>: one of 1, i, -1, -i.
  std::complex<double> phase(Index i) const;

  friend bool operator==(const PauliString& a, const PauliString& b) { return a.text_ == b.text_; }

 private:
  std::string text_;
  Index flips_ = 0, signs_ = 0;
};

enum class PauliChoice {
  published,  // any string, as in the paper
  real,       // real ones only, so that none is 0 in every real state
};

/// Draws `count` strings as the paper does: each character is I with probability 0.9, otherwise X, Y
/// or Z alike; a string of I alone, or one that the choice excludes, is drawn again.
/// Throws unless 1 <= wires <= Circuit::max_wires.
std::vector<PauliString> draw_pauli_strings(Random& random, int wires, int count,
                                            PauliChoice choice = PauliChoice::published);

}  // namespace qisa
