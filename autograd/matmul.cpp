// Matrix products: C = A B, with dA = dC B^T and dB = A^T dC.
#include "autograd/operations.hpp"
#include "tensor/blas.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/lanes.hpp"

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
  check(rank + 2 <= sizes.size(), "[matmul] more than {} axes", sizes.size());
  sizes[rank] = rows;
  sizes[rank + 1] = columns;
  return Shape(std::span<const Index>(sizes.data(), rank + 2));
}

/// op(a) op(b) over the last two axes; the others broadcast.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  const Index rows_a = a.shape()[-2], columns_a = a.shape()[-1], rows_b = b.shape()[-2], columns_b = b.shape()[-1];
  const Index m = transpose_a ? columns_a : rows_a, k = transpose_a ? rows_a : columns_a;
  const Index n = transpose_b ? rows_b : columns_b, inner_b = transpose_b ? columns_b : rows_b;
  check(k == inner_b, "[matmul] a {} x b {}: inner sizes {} and {} differ", a.shape(), b.shape(), k, inner_b);
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

/// total += the sum of the rows of a matrix [rows, width].
void add_rows(const Real* matrix, Index rows, Index width, Real* total) {
  const Index whole = whole_lanes(width);
  for (Index i = 0; i < whole; i += lane_count) {
    Lanes sums{};
    for (Index row = 0; row < rows; ++row) sums += lanes(matrix + row * width + i);
    lanes(total + i) += sums;
  }
  for (Index row = 0; row < rows; ++row) {
    for (Index i = whole; i < width; ++i) total[i] += matrix[row * width + i];
  }
}

}  // namespace

Variable matmul(const Variable& a, const Variable& b) {
  check(a.value().rank() >= 2 && b.value().rank() >= 2, "[matmul] a {} x b {}: both need at least two axes", a.shape(),
        b.shape());
  return record("matmul", product(a.value(), false, b.value(), false), {a, b},
                [va = a.value(), vb = b.value()](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) inputs.add(0, sum_to(product(g, false, vb, true), va.shape()));
                  if (inputs.wanted(1)) inputs.add(1, sum_to(product(va, true, g, false), vb.shape()));
                });
}

// With x as a matrix [rows, in]: y = x W^T + b, dx = dy W, dW = dy^T x, db = sum of the rows of dy.
Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  check(weight.value().rank() == 2 && x.value().rank() >= 1 && x.shape()[-1] == weight.shape()[1],
        "[linear] x {} and weight {}: the last size of x must be the second of weight", x.shape(), weight.shape());
  const Index out = weight.shape()[0], in = weight.shape()[1], rows = x.shape().with(-1, 1).size();
  Tensor y(x.shape().with(-1, out));
  const bool has_bias = !bias.value().empty();
  if (has_bias) {
    check(bias.shape() == Shape{out}, "[linear] weight {} needs a bias of shape [{}], not {}", weight.shape(), out,
          bias.shape());
    const Real* b = bias.value().data();
    for (Index row = 0; row < rows; ++row) {
      Real* to = y.data() + row * out;
#pragma omp simd
      for (Index i = 0; i < out; ++i) to[i] = b[i];
    }
  }
  gemm(false, true, rows, out, in, 1, x.value().data(), in, weight.value().data(), in, has_bias ? 1 : 0, y.data(), out);
  return record("linear", std::move(y), {x, weight, bias},
                [vx = x.value(), w = weight.value(), rows, out, in](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) {
                    Tensor dx(vx.shape());
                    gemm(false, false, rows, in, out, 1, g.data(), out, w.data(), in, 0, dx.data(), in);
                    inputs.add(0, std::move(dx));
                  }
                  if (inputs.wanted(1)) {
                    Tensor& dw = inputs.accumulator(1);
                    gemm(true, false, out, in, rows, 1, g.data(), out, vx.data(), in, 1, dw.data(), in);
                  }
                  if (inputs.wanted(2)) add_rows(g.data(), rows, out, inputs.accumulator(2).data());
                });
}

}  // namespace qisa
