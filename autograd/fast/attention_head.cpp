#include "autograd/fast/attention_head.hpp"

#include <algorithm>

#include "tensor/fast/exponential.hpp"
#include "tensor/fast/lane_product.hpp"
#include "tensor/fast/lane_transpose.hpp"
#include "tensor/fast/softmax.hpp"

namespace qisa {
namespace {

Factor numbers(const HeadRows& x) { return {x.data, x.stride, 1}; }

/// The rows with zeros after them, up to whole lanes: `x` itself if it has no need of them, or a copy in `space`.
HeadRows padded(const HeadRows& x, Index rows, Index columns, Real* space) {
  const Index width = padded_to_lanes(columns);
  if (width == columns) return x;
  for (Index i = 0; i < rows; ++i) {
    std::fill(std::copy_n(x.data + i * x.stride, columns, space + i * width), space + (i + 1) * width, Real(0));
  }
  return {space, width};
}

/// The transpose, [columns, rows padded with zeros], in `space`.
HeadRows transposed(const HeadRows& x, Index rows, Index columns, Real* space) {
  const Index width = padded_to_lanes(rows);
  for (Index i = 0; i < width; i += lane_count) {
    rows_to_lanes(x.data + i * x.stride, x.stride, std::min(lane_count, rows - i), columns, space + i, width);
  }
  return {space, width};
}

/// Sets, or adds to, the first `columns` numbers at `to`, at most one for each lane.
void set(Real* to, const Lanes& sums, Index columns) {
  if (columns >= lane_count) {
    lanes(to) = sums;
  } else {
    for (Index d = 0; d < columns; ++d) to[d] = sums[d];
  }
}
void add(Real* to, const Lanes& sums, Index columns) {
  if (columns >= lane_count) {
    lanes(to) += sums;
  } else {
    for (Index d = 0; d < columns; ++d) to[d] += sums[d];
  }
}

Real squared_norm(const Real* x, Index count) {
  Real total = 0;
#pragma omp simd reduction(+ : total)
  for (Index d = 0; d < count; ++d) total += x[d] * x[d];
  return total;
}

constexpr auto everywhere = [](Index, Index) { return true; };

}  // namespace

AttentionHead::AttentionHead(const AttentionSettings& settings)
    : s(settings), T(s.queries), S(s.keys), D(s.head_size), K(s.key_columns()), width_(padded_to_lanes(S)) {
  const Real repeats = static_cast<Real>(D / K);
  alpha = s.score == Score::dot ? repeats * s.scale : 2 * repeats;
  gamma = s.score == Score::dot ? 0 : repeats;
  beta = s.normalizer == Normalizer::sum ? 0 : gamma;
  space_ = Tensor({width_ * padded_to_lanes(D)});
  more_space_ = Tensor({width_ * padded_to_lanes(D)});
  norms_ = Tensor({width_});
}

/// How many keys the four rows of row i reach.
Index AttentionHead::reach(Index i) const { return std::min(S, S - T + (i | 3) + 1); }

/// The terms of a sum over j <= i for the four rows of row i.
auto AttentionHead::to_diagonal() const {
  return [this](Index i) { return Terms{0, reach(i)}; };
}

/// The terms of a sum over i, j <= i, for four rows from j on.
auto AttentionHead::from_diagonal() const {
  return [this](Index j) { return Terms{std::max<Index>(0, j - (S - T)), T}; };
}

void AttentionHead::weights(const HeadRows& q, const HeadRows& k, Real* w, Real* a) {
  const HeadRows keys = transposed(k, S, K, space_.data());
  for (Index j = 0; j < width_; j += lane_count) {
    Lanes squares{};
    for (Index d = 0; gamma != 0 && d < K; ++d) {
      const Lanes& key = lanes(keys.data + d * width_ + j);
      squares += key * key;
    }
    lanes(norms_.data() + j) = gamma * squares;
  }
  lane_product(
      numbers(q), keys.data, width_, T, width_,
      [&](Index) {
        return Terms{0, K};
      },
      [&](Index i, Index j) { return j < reach(i); },
      [&](Index i, Index j, const Lanes& dots) {
        lanes(w + i * width_ + j) = alpha * dots - lanes(norms_.data() + j);
      });
  for (Index i = 0; i < T; ++i) {
    Real* row = w + i * width_;
    const Index visible = S - T + i + 1, computed = padded_to_lanes(visible);
    if (s.normalizer == Normalizer::softmax) {
      const Real query_norm = beta * squared_norm(q.data + i * q.stride, K);
      Real* kept = a + i * width_;
#pragma omp simd
      for (Index j = 0; j < computed; ++j) row[j] = kept[j] = exponential(std::min(row[j] - query_norm, Real(0)));
    }
    softmax_lanes(row, visible);
    std::fill(row + computed, row + width_, Real(0));
  }
}

void AttentionHead::output(const Real* p, const HeadRows& v, Real* out, Index stride) {
  const HeadRows values = padded(v, S, D, space_.data());
  const Index columns = padded_to_lanes(D);
  const auto store = [&](Index i, Index d, const Lanes& sums) { set(out + i * stride + d, sums, D - d); };
  if (s.aggregation == Aggregation::transposed) {
    lane_product({p, 1, width_}, values.data, values.stride, T, columns, from_diagonal(), everywhere, store);
  } else {
    lane_product({p, width_, 1}, values.data, values.stride, T, columns, to_diagonal(), everywhere, store);
  }
}

// out = P V:    dP = dout V^T,  dV = P^T dout.
// out = P^T V:  dP = V dout^T,  dV = P dout.
void AttentionHead::output_backward(const Real* p, const HeadRows& v, const HeadRows& dout, Real* dp, Real* dv) {
  const bool reversed = s.aggregation == Aggregation::transposed;
  const HeadRows left = reversed ? v : dout, right = transposed(reversed ? dout : v, S, D, space_.data());
  lane_product(
      numbers(left), right.data, right.stride, T, width_,
      [&](Index) {
        return Terms{0, D};
      },
      [&](Index i, Index j) { return j < reach(i); },
      [&](Index i, Index j, const Lanes& dots) { lanes(dp + i * width_ + j) = dots; });
  if (!dv) return;
  const HeadRows gradient = padded(dout, T, D, space_.data());
  const Index columns = padded_to_lanes(D);
  const auto store = [&](Index j, Index d, const Lanes& sums) { add(dv + j * v.stride + d, sums, D - d); };
  if (reversed) {
    lane_product({p, width_, 1}, gradient.data, gradient.stride, S, columns, to_diagonal(), everywhere, store);
  } else {
    lane_product({p, 1, width_}, gradient.data, gradient.stride, S, columns, from_diagonal(), everywhere, store);
  }
}

// Through the softmax over visible keys, and through the exponential if the normalizer is softmax. W is 0 where
// j > i, so du is too.
void AttentionHead::weights_backward(const Real* w, const Real* a, Real* du) const {
  for (Index i = 0; i < T; ++i) {
    Real* row = du + i * width_;
    softmax_row_backward(w + i * width_, row, row, padded_to_lanes(reach(i)));
    if (s.normalizer == Normalizer::sum) continue;
    const Real* exponentials = a + i * width_;
    const Index visible = S - T + i + 1;
#pragma omp simd
    for (Index j = 0; j < visible; ++j) row[j] *= exponentials[j];
  }
}

void AttentionHead::scores_backward(const HeadRows& q, const HeadRows& k, const Real* du, Real* dq, Real* dk) {
  const HeadRows queries = padded(q, T, K, space_.data()), keys = padded(k, S, K, more_space_.data());
  const Index columns = padded_to_lanes(K);
  if (dq) {
    lane_product({du, width_, 1}, keys.data, keys.stride, T, columns, to_diagonal(), everywhere,
                 [&](Index i, Index d, Lanes sums) {
                   sums *= alpha;
                   if (beta != 0) sums -= 2 * beta * row_sum(du, i) * lanes(queries.data + i * queries.stride + d);
                   add(dq + i * q.stride + d, sums, K - d);
                 });
  }
  if (dk) {
    if (gamma != 0) add_columns(du, norms_.data());
    lane_product({du, 1, width_}, queries.data, queries.stride, S, columns, from_diagonal(), everywhere,
                 [&](Index j, Index d, Lanes sums) {
                   sums *= alpha;
                   if (gamma != 0) sums -= 2 * gamma * norms_[j] * lanes(keys.data + j * keys.stride + d);
                   add(dk + j * k.stride + d, sums, K - d);
                 });
  }
}

/// The sum of row i, where it was computed.
Real AttentionHead::row_sum(const Real* matrix, Index i) const {
  Lanes sums{};
  for (Index j = 0; j < reach(i); j += lane_count) sums += lanes(matrix + i * width_ + j);
  return sum(sums);
}

/// sums_j = the sum over i of row i, where it was computed.
void AttentionHead::add_columns(const Real* matrix, Real* sums) const {
  std::fill_n(sums, width_, Real(0));
  for (Index i = 0; i < T; ++i) {
    for (Index j = 0; j < reach(i); j += lane_count) lanes(sums + j) += lanes(matrix + i * width_ + j);
  }
}

}  // namespace qisa
