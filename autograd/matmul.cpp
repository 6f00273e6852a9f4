// Matrix products: C = A B, with dA = dC B^T and dB = A^T dC.
#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/fast/blas.hpp"

namespace qisa {
namespace {

/// The axes of a batch of matrices, without the matrices' own two.
Shape batch_axes(const Shape& shape) {
  return Shape(std::span<const Index>(shape.begin(), static_cast<std::size_t>(shape.rank() - 2)));
}

Shape with_matrix(const Shape& batch, Index rows, Index columns) {
  std::array<Index, Shape::max_rank> sizes{};
  std::copy(batch.begin(), batch.end(), sizes.begin());
  const auto rank = static_cast<std::size_t>(batch.rank());
  require(rank + 2 <= sizes.size(), "[matmul] more than {} axes", sizes.size());
  sizes[rank] = rows;
  sizes[rank + 1] = columns;
  return Shape(std::span<const Index>(sizes.data(), rank + 2));
}

/// op(a) op(b) over the last two axes; the others broadcast.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  const Index rows_a = a.shape()[-2], columns_a = a.shape()[-1], rows_b = b.shape()[-2], columns_b = b.shape()[-1];
  const Index m = transpose_a ? columns_a : rows_a, k = transpose_a ? rows_a : columns_a;
  const Index n = transpose_b ? rows_b : columns_b, inner_b = transpose_b ? columns_b : rows_b;
  require(k == inner_b, "[matmul] a {} x b {}: inner sizes {} and {} differ", a.shape(), b.shape(), k, inner_b);
  const Shape batch = broadcast("matmul", batch_axes(a.shape()), batch_axes(b.shape()));
  Tensor result(with_matrix(batch, m, n));
  // One row of this walk is one matrix product: an axis of size 1 stands for the matrix.
  const Shape matrices = with_matrix(batch, 1, 1);
  const Strides strides_a = broadcast_strides(with_matrix(batch_axes(a.shape()), 1, 1), matrices);
  const Strides strides_b = broadcast_strides(with_matrix(batch_axes(b.shape()), 1, 1), matrices);
  for_each_row(matrices, strides_a, strides_b, [&](Index i, Index i_a, Index i_b) {
    gemm(transpose_a, transpose_b, m, n, k, 1, a.data() + i_a * rows_a * columns_a, columns_a,
         b.data() + i_b * rows_b * columns_b, columns_b, 0, result.data() + i * m * n, n);
  });
  return result;
}

}  // namespace

Variable matmul(const Variable& a, const Variable& b) {
  require(a.value().rank() >= 2 && b.value().rank() >= 2, "[matmul] a {} x b {}: both need at least two axes",
          a.shape(), b.shape());
  return record("matmul", product(a.value(), false, b.value(), false), {a, b},
                [va = a.value(), vb = b.value()](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) inputs.add(0, sum_to(product(g, false, vb, true), va.shape()));
                  if (inputs.wanted(1)) inputs.add(1, sum_to(product(va, true, g, false), vb.shape()));
                });
}

}  // namespace qisa
