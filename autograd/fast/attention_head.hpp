// One head of one sequence: the arithmetic of attention.cpp, on plain memory.
//
// Letters: B sequences, T queries, S keys, D head_size, K columns of a query or key; i counts
// queries, j keys.
//
// The steps forward:
//   u_ij = alpha q_i·k_j - beta |q_i|^2 - gamma |k_j|^2
// where dot scores have (alpha, beta, gamma) = (scale, 0, 0) and Gaussian ones (2, 1, 1), so that
// u = -|q - k|^2; all times D / K, as every column is repeated as often. Then, over the visible j <= i:
//   normalizer sum:      W = softmax(u). As |q_i|^2 is the same for all j it cancels: beta = 0, and
//                        nothing underflows when all distances are large.
//   normalizer softmax:  W = softmax(A), A = exp(u).
// Dropout turns W into P, and the output is P V (causal) or P^T V (transposed).
//
// The matrices [T, S] of a head are stored with rows padded to whole lanes, and their products are sums in
// registers (lane_product.hpp). What lies in the future is left out: four rows at a time reach the keys that the
// last of them sees, and no further group of lanes is computed.
#pragma once

#include "autograd/attention.hpp"
#include "tensor/tensor.hpp"

namespace qisa {

/// The rows of one head of one sequence within a matrix of tokens, `stride` apart.
struct HeadRows {
  const Real* data;
  Index stride;
};

class AttentionHead {
 public:
  explicit AttentionHead(const AttentionSettings& settings);

  /// The length of the rows of W, A, P and their gradients: S, padded to whole lanes.
  Index width() const { return width_; }

  /// W [T, width], zero where j > i; also A if the normalizer is softmax.
  void weights(const HeadRows& q, const HeadRows& k, Real* w, Real* a);
  /// out = P V or P^T V: T rows of D numbers, `stride` apart.
  void output(const Real* p, const HeadRows& v, Real* out, Index stride);

  /// dP, given the gradient of the output; and adds dV, unless it is null, to rows that lie as those of v.
  void output_backward(const Real* p, const HeadRows& v, const HeadRows& dout, Real* dp, Real* dv);
  /// From dW to du, in place.
  void weights_backward(const Real* w, const Real* a, Real* du) const;
  /// Adds dq and dk, unless they are null, to rows that lie as those of q and k.
  void scores_backward(const HeadRows& q, const HeadRows& k, const Real* du, Real* dq, Real* dk);

 private:
  Index reach(Index i) const;
  auto to_diagonal() const;
  auto from_diagonal() const;
  Real row_sum(const Real* matrix, Index i) const;
  void add_columns(const Real* matrix, Real* sums) const;

  AttentionSettings s;
  Index T, S, D, K, width_;
  Real alpha, beta, gamma;
  Tensor space_, more_space_;  // for the copies of a head's rows, transposed or padded
  Tensor norms_;               // [width]: one number a key
};

}  // namespace qisa
