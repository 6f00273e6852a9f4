// Letters: B sequences, H heads, T queries, S keys, D head_size, K columns of a query or key; i counts
// queries, j keys.
//
// Each sequence and head is a small problem of its own:
//   u_ij = alpha q_i·k_j - beta |q_i|^2 - gamma |k_j|^2
// where dot scores have (alpha, beta, gamma) = (scale, 0, 0) and Gaussian ones (2, 1, 1), so that
// u = -|q - k|^2; all times D / K, as every column is repeated as often. Then, over the visible j <= i:
//   normalizer sum:      W = softmax(u). As |q_i|^2 is the same for all j it cancels: beta = 0, and
//                        nothing underflows when all distances are large.
//   normalizer softmax:  W = softmax(A), A = exp(u).
// Dropout turns W into P, and the output is P V (causal) or P^T V (transposed).
#include "autograd/attention.hpp"

#include <algorithm>
#include <limits>

#include "tensor/blas.hpp"
#include "tensor/exponential.hpp"
#include "tensor/softmax.hpp"

namespace qisa {
namespace {

constexpr Real minus_infinity = -std::numeric_limits<Real>::infinity();

/// One head of one sequence within a matrix of tokens: rows of D or K numbers, `stride` apart.
struct Block {
  const Real* data;
  Index stride;
};

struct Coefficients {
  Real alpha, beta, gamma;
};

Coefficients coefficients(const AttentionSettings& s) {
  const Real repeats = static_cast<Real>(s.head_size / s.key_columns());
  if (s.score == Score::dot) return {repeats * s.scale, 0, 0};
  return {2 * repeats, s.normalizer == Normalizer::sum ? Real(0) : repeats, repeats};
}

Block block(const Tensor& matrix, Index first_column, Index rows, Index columns, Index sequence, Index head) {
  const Index width = matrix.shape()[1];
  return {matrix.data() + sequence * rows * width + first_column + head * columns, width};
}

Real squared_norm(const Real* x, Index count) {
  Real total = 0;
#pragma omp simd reduction(+ : total)
  for (Index d = 0; d < count; ++d) total += x[d] * x[d];
  return total;
}

/// W [T, S] of one head of one sequence, zero where j > i; also A if the normalizer is softmax.
void weights(const Block& q, const Block& k, const AttentionSettings& s, Real* w, Real* a, Real* key_norms) {
  const Index T = s.queries, S = s.keys, K = s.key_columns();
  const auto [alpha, beta, gamma] = coefficients(s);
  gemm(false, true, T, S, K, alpha, q.data, q.stride, k.data, k.stride, 0, w, S);
  for (Index j = 0; j < S; ++j) key_norms[j] = gamma == 0 ? 0 : gamma * squared_norm(k.data + j * k.stride, K);
  for (Index i = 0; i < T; ++i) {
    Real* row = w + i * S;
    const Index visible = S - T + i + 1;
    const Real query_norm = beta == 0 ? 0 : beta * squared_norm(q.data + i * q.stride, K);
#pragma omp simd
    for (Index j = 0; j < S; ++j) row[j] -= query_norm + key_norms[j];
    if (s.normalizer == Normalizer::softmax) {
      Real* kept = a + i * S;
#pragma omp simd
      for (Index j = 0; j < S; ++j) row[j] = kept[j] = exponential(std::min(row[j], Real(0)));
    }
    std::fill(row + visible, row + S, minus_infinity);
    softmax_row(row, row, S);
  }
}

/// From dW (in `du`) to du: through the softmax over visible keys, and through the exponential if the
/// normalizer is softmax. W is 0 where j > i, so du is too.
void weights_backward(const AttentionSettings& s, const Real* w, const Real* a, Real* du) {
  const Index S = s.keys;
  for (Index i = 0; i < s.queries; ++i) {
    Real* row = du + i * S;
    softmax_row_backward(w + i * S, row, row, S);
    if (s.normalizer == Normalizer::softmax) {
      const Real* exponentials = a + i * S;
#pragma omp simd
      for (Index j = 0; j < S; ++j) row[j] *= exponentials[j];
    }
  }
}

/// to_row += factor * from_row for the K numbers of each row.
void add_scaled_rows(Real* to, Index stride_to, const Block& from, const Real* factors, Index rows, Index K) {
  for (Index i = 0; i < rows; ++i) {
#pragma omp simd
    for (Index d = 0; d < K; ++d) to[i * stride_to + d] += factors[i] * from.data[i * from.stride + d];
  }
}

/// dq and dk from du: u_ij = alpha q_i·k_j - beta |q_i|^2 - gamma |k_j|^2.
void scores_backward(const Block& q, const Block& k, const AttentionSettings& s, const Real* du, Real* dq, Real* dk) {
  const Index T = s.queries, S = s.keys, K = s.key_columns();
  const auto [alpha, beta, gamma] = coefficients(s);
  if (dq) gemm(false, false, T, K, S, alpha, du, S, k.data, k.stride, 1, dq, q.stride);
  if (dk) gemm(true, false, S, K, T, alpha, du, S, q.data, q.stride, 1, dk, k.stride);
  if (dq && beta != 0) {
    Tensor row_sums({T});
    for (Index i = 0; i < T; ++i) {
      Real total = 0;
#pragma omp simd reduction(+ : total)
      for (Index j = 0; j < S; ++j) total += du[i * S + j];
      row_sums[i] = -2 * beta * total;
    }
    add_scaled_rows(dq, q.stride, q, row_sums.data(), T, K);
  }
  if (dk && gamma != 0) {
    const Real factor = -2 * gamma;
    Tensor column_sums = Tensor::zeros({S});
    for (Index i = 0; i < T; ++i) {
#pragma omp simd
      for (Index j = 0; j < S; ++j) column_sums[j] += factor * du[i * S + j];
    }
    add_scaled_rows(dk, k.stride, k, column_sums.data(), S, K);
  }
}

void check_sizes(const char* which, const HeadColumns& columns, Index rows, Index heads, Index each) {
  const Shape& shape = columns.matrix.shape();
  check(shape.rank() == 2 && shape[0] == rows && columns.first_column >= 0 &&
            columns.first_column + heads * each <= shape[1],
        "[attention] {} {} from column {}: needs {} rows and {} heads of {} columns", which, shape,
        columns.first_column, rows, heads, each);
}

void check_settings(const AttentionSettings& s) {
  check(s.key_columns() >= 1 && s.head_size % s.key_columns() == 0,
        "[attention] {} columns of q and k a head cannot be repeated to head_size {}", s.key_columns(), s.head_size);
  check(s.keys >= s.queries, "[attention] {} keys for {} queries: there must be at least as many", s.keys, s.queries);
  check(s.aggregation == Aggregation::causal || s.keys == s.queries,
        "[attention] transposed aggregation needs all {} positions as queries, not the last {}", s.keys, s.queries);
  check(s.score == Score::gaussian || s.normalizer == Normalizer::sum,
        "[attention] the softmax normalizer is defined for gaussian scores only");
  check(s.dropped >= 0 && s.dropped < 1, "[attention] dropout must be at least 0 and less than 1, not {}", s.dropped);
}

/// All weights, and the exponentials A if the normalizer is softmax: [B, H, T, S] each.
struct Weights {
  Tensor w, a;
};

Weights all_weights(const HeadColumns& q, const HeadColumns& k, const AttentionSettings& s) {
  const Shape shape = {s.batch, s.heads, s.queries, s.keys};
  Weights result{Tensor(shape), s.normalizer == Normalizer::softmax ? Tensor(shape) : Tensor()};
  Tensor key_norms({s.keys});
  for (Index b = 0; b < s.batch; ++b) {
    for (Index h = 0; h < s.heads; ++h) {
      const Index at = (b * s.heads + h) * s.queries * s.keys;
      weights(block(q.matrix.value(), q.first_column, s.queries, s.key_columns(), b, h),
              block(k.matrix.value(), k.first_column, s.keys, s.key_columns(), b, h), s, result.w.data() + at,
              result.a.empty() ? nullptr : result.a.data() + at, key_norms.data());
    }
  }
  return result;
}

}  // namespace

Tensor attention_weights(const HeadColumns& q, const HeadColumns& k, const AttentionSettings& s) {
  check_settings(s);
  check_sizes("q", q, s.batch * s.queries, s.heads, s.key_columns());
  check_sizes("k", k, s.batch * s.keys, s.heads, s.key_columns());
  return all_weights(q, k, s).w;
}

Variable attention(const HeadColumns& q, const HeadColumns& k, const HeadColumns& v, const AttentionSettings& s,
                   DropoutStream& stream) {
  check_settings(s);
  const Index T = s.queries, S = s.keys, D = s.head_size, K = s.key_columns(), width = s.heads * D;
  check_sizes("q", q, s.batch * T, s.heads, K);
  check_sizes("k", k, s.batch * S, s.heads, K);
  check_sizes("v", v, s.batch * S, s.heads, D);
  const bool transposed = s.aggregation == Aggregation::transposed;

  const auto [w, a] = all_weights(q, k, s);
  Tensor p = w;  // the weights after dropout
  if (s.dropped > 0) {
    p = Tensor(w.shape());
    stream.fill(p.data(), p.size(), s.dropped);
    for (Index i = 0, count = p.size(); i < count; ++i) p[i] *= w[i];
  }
  Tensor out({s.batch * T, width});
  for (Index b = 0; b < s.batch; ++b) {
    for (Index h = 0; h < s.heads; ++h) {
      const Block values = block(v.matrix.value(), v.first_column, S, D, b, h);
      gemm(transposed, false, T, D, S, 1, p.data() + (b * s.heads + h) * T * S, S, values.data, values.stride, 0,
           out.data() + b * T * width + h * D, width);
    }
  }

  return record(
      "attention", std::move(out), {q.matrix, k.matrix, v.matrix},
      [vq = q.matrix.value(), vk = k.matrix.value(), vv = v.matrix.value(), first_q = q.first_column,
       first_k = k.first_column, first_v = v.first_column, w = w, a = a, p, s, T, S, D, K,
       transposed](const Tensor& g, InputGradients& inputs) {
        Real* dq = inputs.wanted(0) ? inputs.accumulator(0).data() : nullptr;
        Real* dk = inputs.wanted(1) ? inputs.accumulator(1).data() : nullptr;
        Real* dv = inputs.wanted(2) ? inputs.accumulator(2).data() : nullptr;
        Tensor du({T, S});
        for (Index b = 0; b < s.batch; ++b) {
          for (Index h = 0; h < s.heads; ++h) {
            const Index at = (b * s.heads + h) * T * S;
            const Block queries = block(vq, first_q, T, K, b, h), keys = block(vk, first_k, S, K, b, h),
                        values = block(vv, first_v, S, D, b, h), dout = block(g, 0, T, D, b, h);
            // out = P V: dP = dout V^T, dV = P^T dout;  out = P^T V: dP = V dout^T, dV = P dout.
            if (transposed) {
              gemm(false, true, T, S, D, 1, values.data, values.stride, dout.data, dout.stride, 0, du.data(), S);
            } else {
              gemm(false, true, T, S, D, 1, dout.data, dout.stride, values.data, values.stride, 0, du.data(), S);
            }
            if (dv) {
              gemm(!transposed, false, S, D, T, 1, p.data() + at, S, dout.data, dout.stride, 1,
                   dv + (values.data - vv.data()), values.stride);
            }
            if (!dq && !dk) continue;
            if (s.dropped > 0) {  // P = mask W, and where P is 0 the mask is 0 or W, and so du, is 0
              const Real kept = 1 / (1 - s.dropped);
              for (Index i = 0; i < T * S; ++i) du[i] *= p[at + i] == 0 ? Real(0) : kept;
            }
            weights_backward(s, w.data() + at, a.empty() ? nullptr : a.data() + at, du.data());
            scores_backward(queries, keys, s, du.data(), dq ? dq + (queries.data - vq.data()) : nullptr,
                            dk ? dk + (keys.data - vk.data()) : nullptr);
          }
        }
      });
}

}  // namespace qisa
