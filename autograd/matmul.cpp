// Matrix products: C = A B, with dA = dC B^T and dB = A^T dC.
#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/fast/blas.hpp"

namespace qisa {
namespace {

/// op(a) op(b) over the last two axes; the others broadcast.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  const Index rows_a = a.shape()[-2], columns_a = a.shape()[-1], rows_b = b.shape()[-2], columns_b = b.shape()[-1];
  const Index m = transpose_a ? columns_a : rows_a, k = transpose_a ? rows_a : columns_a;
  const Index n = transpose_b ? rows_b : columns_b, inner_b = transpose_b ? columns_b : rows_b;
  require(k == inner_b, "[matmul] a {} x b {}: inner sizes {} and {} differ", a.shape(), b.shape(), k, inner_b);
  // In these shapes one number stands for a matrix, so that one row of the walk is one product.
  const Shape of_a = a.shape().with(-2, 1).with(-1, 1), of_b = b.shape().with(-2, 1).with(-1, 1);
  const Shape matrices = broadcast("matmul", of_a, of_b);
  Tensor result(matrices.with(-2, m).with(-1, n));
  Real* to = result.data();
  for_each_row(matrices, broadcast_strides(of_a), broadcast_strides(of_b), [&](Index, Index i, Index i_a, Index i_b) {
    gemm(transpose_a, transpose_b, m, n, k, 1, a.data() + i_a * rows_a * columns_a, columns_a,
         b.data() + i_b * rows_b * columns_b, columns_b, 0, to + i * m * n, n);
  });
  return result;
}

}  // namespace

Variable matmul(const Variable& a, const Variable& b) {
  require_values("matmul", a, b);
  require(a.value().rank() >= 2 && b.value().rank() >= 2, "[matmul] a {} x b {}: both need at least two axes",
          a.shape(), b.shape());
  return record("matmul", product(a.value(), false, b.value(), false), {a, b},
                [va = a.value(), vb = b.value()](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) inputs.add(0, product(g, false, vb, true));
                  if (inputs.wanted(1)) inputs.add(1, product(va, true, g, false));
                });
}

}  // namespace qisa
