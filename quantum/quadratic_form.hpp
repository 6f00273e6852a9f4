// Pauli strings as quadratic forms v = y^T P y of real vectors: expectation values of states that are
// not normalised and that no gate has touched.
//
// A string with an odd number of Y is an imaginary, antisymmetric matrix: its form is 0 for every y. It
// keeps its column of zeros.
//
// With y = W x the form is x^T (W^T P W) x, and W^T P W can be computed once for inference (the paper's
// "fast branch"). It does not pay: one product of all x_i x_j with those matrices took three times as long
// as W x and the strings on it with 4 wires, twelve times with 7.
#pragma once

#include "quantum/circuit_bank.hpp"

namespace qisa {

class QuadraticForms {
 public:
  /// `strings` are measured, one list for each head. Throws when there is none or they differ in length.
  explicit QuadraticForms(std::span<const std::vector<PauliString>> strings);

  /// y [tokens, heads * width] -> [tokens, strings of all heads], those of head 0 first. Each head
  /// measures its own `width` <= 2^wires columns of y, padded with zeros. Differentiable.
  Variable measure(const Variable& y, CircuitKernel kernel = CircuitKernel::fused) const;

 private:
  CircuitBank bank_;  // without a gate
};

}  // namespace qisa
