// Pauli strings as quadratic forms v = y^T P y of real vectors: expectation values of states that are
// not normalised and that no gate has touched.
//
// A string with an odd number of Y is an imaginary, antisymmetric matrix: its form is 0 for every y. It
// is not computed, but keeps its column of zeros.
//
// With y = W x the form is x^T (W^T P W) x, and W^T P W can be computed once for inference (the paper's
// "fast branch", transformed_observables()). It does not pay: one product of all x_i x_j with those
// matrices took three times as long as W x and the strings on it with 4 wires, twelve times with 7. So
// the fused kernel is the adjoint kernel's forward pass.
#pragma once

#include <span>
#include <vector>

#include "autograd/variable.hpp"
#include "quantum/circuit_bank.hpp"
#include "quantum/fast/observables.hpp"

namespace qisa {

class QuadraticForms {
 public:
  /// `strings` are measured, one list for each head. Throws when there is none or they differ in length.
  explicit QuadraticForms(std::span<const std::vector<PauliString>> strings);

  /// y [tokens, heads * width] -> [tokens, strings of all heads], those of head 0 first. Each head
  /// measures its own `width` <= 2^wires columns of y, padded with zeros. Differentiable; `stepwise`
  /// goes by way of states on the tape (stepwise.hpp), the other kernels work in blocks of tokens.
  Variable measure(const Variable& y, CircuitKernel kernel) const;

 private:
  /// A head that has strings other than those that are always 0.
  struct Head {
    Index number;
    std::vector<Index> outputs;  // the columns of its strings in the result
    Observables observables;
  };

  Index width(const Tensor& y) const;
  Index scratch_size() const;
  Variable measure_stepwise(const Variable& y) const;
  Tensor measure_blocks(const Tensor& y) const;
  void add_gradient(const Tensor& y, const Tensor& grad_out, Tensor& grad_y) const;

  std::vector<std::vector<PauliString>> strings_;
  Index outputs_ = 0, dimension_ = 0;
  std::vector<Head> heads_;
};

/// W^T P_m W of every string: weight [rows, columns] -> [strings, columns, columns], symmetric. Strings
/// with an odd number of Y give 0, the real part of W^T P W. Throws when rows > 2^wires.
Tensor transformed_observables(const Tensor& weight, std::span<const PauliString> strings);

}  // namespace qisa
