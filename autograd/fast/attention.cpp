// Letters: B sequences, H heads, T queries, S keys, D head_size, K columns of a query or key; i counts queries, j keys.
// Each sequence and head is a small problem of its own:
//   u_ij = alpha q_i·k_j - beta |q_i|^2 - gamma |k_j|^2
// where dot scores have (alpha, beta, gamma) = (scale, 0, 0) and Gaussian ones (2, 1, 1), so that u = -|q - k|^2; all
// times D / K, as every column is repeated as often. Then, over the visible j <= i:
//   normalizer sum:      W = softmax(u). As |q_i|^2 is the same for all j it cancels: beta = 0, and nothing underflows
//                        when all distances are large.
//   normalizer softmax:  W = softmax(A), A = exp(u).
// Dropout turns W into P, and the output is P V (causal) or P^T V (transposed).
//
// Distances do not change when queries and keys move alike. For Gaussian scores those of a sequence move so that its
// first key, which all of its queries see, is 0: products of numbers that share a large part would lose the digits in
// which they differ.
//
// The matrices [T, S] of a head are stored with rows padded to whole lanes, and their products are sums in registers
// (lane_product.hpp). What lies in the future is left out: four rows at a time reach the keys that the last of them
// sees, and no further group of lanes is computed.
#include "autograd/fast/attention.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "tensor/fast/dropout_mask.hpp"
#include "tensor/fast/exponential.hpp"
#include "tensor/fast/lane_product.hpp"
#include "tensor/fast/lane_transpose.hpp"
#include "tensor/fast/softmax.hpp"

namespace qisa {
namespace {

/// Rows of a matrix, `stride` apart, one a token; null if they are not wanted.
template <class Number>
struct Rows {
  Number* data;
  Index stride;

  /// Those of a sequence of so many rows, of a head with so many columns.
  Rows of(Index sequence, Index rows, Index head, Index columns) const {
    return {data ? data + sequence * rows * stride + head * columns : nullptr, stride};
  }
};

/// Queries, keys and values of all heads, or of one; or where their gradients are added up.
template <class Number>
struct Inputs {
  Rows<Number> q, k, v;

  Inputs of(const AttentionSettings& s, Index sequence, Index head) const {
    return {q.of(sequence, s.queries, head, s.key_columns()), k.of(sequence, s.keys, head, s.key_columns()),
            v.of(sequence, s.keys, head, s.head_size)};
  }
};

using HeadRows = Rows<const Real>;
using HeadInputs = Inputs<const Real>;

/// Sets the first `columns` numbers at `to`, at most one for each lane; or adds to them.
void put(Real* to, const Lanes& sums, Index columns, bool adds) {
  if (columns >= lane_count) {
    lanes(to) = adds ? lanes(to) + sums : sums;
  } else {
    for (Index d = 0; d < columns; ++d) to[d] = adds ? to[d] + sums[d] : sums[d];
  }
}

/// The arithmetic of one head.
class Head {
 public:
  explicit Head(const AttentionSettings& settings)
      : s(settings), T(s.queries), S(s.keys), D(s.head_size), K(s.key_columns()), width_(padded_to_lanes(S)) {
    const Real repeats = static_cast<Real>(D / K);
    alpha = s.score == Score::dot ? repeats * s.scale : 2 * repeats;
    gamma = s.score == Score::dot ? 0 : repeats;
    beta = s.normalizer == Normalizer::sum ? 0 : gamma;
    space_ = Tensor({width_ * padded_to_lanes(D)});
    more_space_ = Tensor(space_.shape());
    norms_ = Tensor::zeros({width_});
    near_ = Tensor({T + S, s.heads * K});
  }

  /// The length of the rows of W, A, P and their gradients: S, padded to whole lanes.
  Index width() const { return width_; }

  /// Calls visit(inputs, sequence, head, number) for every head: its inputs, moved for Gaussian scores, and its number
  /// among all.
  template <class Visit>
  void for_each_head(const HeadInputs& all, Visit visit) {
    for (Index sequence = 0, number = 0; sequence < s.batch; ++sequence) {
      HeadInputs own = all.of(s, sequence, 0);
      if (gamma != 0) {
        const Real* origin = own.k.data;
        own.q = moved(own.q, T, origin, near_.data());
        own.k = moved(own.k, S, origin, near_.data() + T * s.heads * K);
      }
      for (Index h = 0; h < s.heads; ++h) visit(own.of(s, 0, h), sequence, h, number++);
    }
  }

  /// W [T, width], zero where j > i; also A if the normalizer is softmax.
  void weights(const HeadInputs& in, Real* w, Real* a) {
    const HeadRows keys = transposed(in.k, S, K);
    Real *columns = space_.data(), *norms = norms_.data();
    for (Index j = 0; j < width_ && gamma != 0; j += lane_count) {
      Lanes squares{};
      for (Index d = 0; d < K; ++d) {
        const Lanes& key = lanes(columns + d * width_ + j);
        squares += key * key;
      }
      lanes(norms + j) = gamma * squares;
    }
    dot_products(in.q, keys, K, [&](Index i, Index j, const Lanes& dots) {
      lanes(w + i * width_ + j) = alpha * dots - lanes(norms + j);
    });
    for (Index i = 0; i < T; ++i) {
      Real* row = w + i * width_;
      const Index visible = S - T + i + 1, computed = padded_to_lanes(visible);
      if (s.normalizer == Normalizer::softmax) {
        const Real* query = in.q.data + i * in.q.stride;
        const Real query_norm = beta * std::inner_product(query, query + K, query, Real(0));
        Real* kept = a + i * width_;
#pragma omp simd
        for (Index j = 0; j < computed; ++j) row[j] = kept[j] = exponential(std::min(row[j] - query_norm, Real(0)));
      }
      softmax_lanes(row, visible);
      std::fill(row + computed, row + width_, Real(0));
    }
  }

  /// out = P V or P^T V: T rows of D numbers, `stride` apart.
  void output(const HeadInputs& in, const Real* p, Real* out, Index stride) {
    weighted_sums(is_transposed(), p, padded(in.v, S, D, space_), D,
                  [&](Index i, Index d, const Lanes& sums) { put(out + i * stride + d, sums, D - d, false); });
  }

  /// Adds all gradients, given the output's. Dropout's mask, if there is one, begins at number `at`.
  void backward(const HeadInputs& in, const Real* w, const Real* a, const Real* p,
                const std::optional<DropoutMask>& mask, Index at, const HeadRows& dout, const Inputs<Real>& to) {
    // out = P V:    dP = dout V^T,  dV = P^T dout.
    // out = P^T V:  dP = V dout^T,  dV = P dout.
    if (to.v.data) {
      weighted_sums(!is_transposed(), p, padded(dout, T, D, space_), D, [&](Index j, Index d, const Lanes& sums) {
        put(to.v.data + j * to.v.stride + d, sums, D - d, true);
      });
    }
    if (!to.q.data && !to.k.data) return;
    if (gradient_.empty()) gradient_ = Tensor({T, width_});
    Real* du = gradient_.data();  // dP, dW and du in turn
    const HeadRows right = transposed(is_transposed() ? dout : in.v, S, D);
    dot_products(is_transposed() ? in.v : dout, right, D,
                 [&](Index i, Index j, const Lanes& dots) { lanes(du + i * width_ + j) = dots; });
    for (Index i = 0; i < T; ++i) {
      weights_backward(i, w + i * width_, a + i * width_, mask, at + i * width_, du + i * width_);
    }
    scores_backward(in, du, to);
  }

 private:
  bool is_transposed() const { return s.aggregation == Aggregation::transposed; }
  /// How many keys the four rows of row i reach.
  Index reach(Index i) const { return std::min(S, S - T + (i | 3) + 1); }

  /// The rows of all heads less the origin, at `to`.
  HeadRows moved(const HeadRows& x, Index rows, const Real* origin, Real* to) const {
    const Index columns = s.heads * K;
    for_each_group(columns, [&](Index d, auto count) {
      const Lanes zero = load_lanes(origin + d, count);
      for (Index i = 0; i < rows; ++i) {
        store_lanes(to + i * columns + d, load_lanes(x.data + i * x.stride + d, count) - zero, count);
      }
    });
    return {to, columns};
  }

  /// The rows with zeros after them up to whole lanes: `x` itself if it has no need of them, or a copy in `space`.
  static HeadRows padded(const HeadRows& x, Index rows, Index columns, Tensor& space) {
    const Index width = padded_to_lanes(columns), last = whole_lanes(columns);
    if (width == columns) return x;
    Real* to = space.data();
    for (Index i = 0; i < rows; ++i, to += width) {
      lanes(to + last) = Lanes{};
      std::copy_n(x.data + i * x.stride, columns, to);
    }
    return {space.data(), width};
  }

  /// The transpose, [columns, rows padded with zeros], in space_.
  HeadRows transposed(const HeadRows& x, Index rows, Index columns) {
    Real* to = space_.data();
    for (Index i = 0; i < width_; i += lane_count) {
      rows_to_lanes(x.data + i * x.stride, x.stride, std::min(lane_count, rows - i), columns, to + i, width_);
    }
    return {to, width_};
  }

  /// take(i, j, x_i·y_j) for the queries i and the keys j that they see. y is transposed.
  template <class Take>
  void dot_products(const HeadRows& x, const HeadRows& y, Index columns, Take take) const {
    const auto all = [&](Index) -> Terms { return {0, columns}; };
    const auto visible = [&](Index i, Index j) { return j < reach(i); };
    lane_product({x.data, x.stride, 1}, y.data, y.stride, T, width_, all, visible, take);
  }

  /// take(i, d, sum over j <= i of M_ij x_jd) for every query i; or, `by_key`, take(j, d, sum over i >= j of M_ij x_id)
  /// for every key j.
  template <class Take>
  void weighted_sums(bool by_key, const Real* m, const HeadRows& x, Index columns, Take take) const {
    const auto to_diagonal = [&](Index i) -> Terms { return {0, reach(i)}; };
    const auto from_diagonal = [&](Index j) -> Terms { return {std::max<Index>(0, j - (S - T)), T}; };
    const auto everywhere = [](Index, Index) { return true; };
    const Index width = padded_to_lanes(columns);
    if (by_key) {
      lane_product({m, 1, width_}, x.data, x.stride, S, width, from_diagonal, everywhere, take);
    } else {
      lane_product({m, width_, 1}, x.data, x.stride, T, width, to_diagonal, everywhere, take);
    }
  }

  /// Row i from dP to du: through dropout, through the softmax over visible keys, and through the exponential if the
  /// normalizer is softmax. W is 0 where j > i, so du is too.
  void weights_backward(Index i, const Real* w, const Real* a, const std::optional<DropoutMask>& mask, Index at,
                        Real* row) const {
    const Index computed = padded_to_lanes(reach(i)), visible = S - T + i + 1;
    for (Index j = 0; mask && j < computed; j += lane_count) lanes(row + j) *= mask->factors(at + j);
    softmax_row_backward(w, row, row, computed);
    if (s.normalizer == Normalizer::sum) return;
#pragma omp simd
    for (Index j = 0; j < visible; ++j) row[j] *= a[j];
  }

  /// dq_i = sum_j du_ij (alpha k_j - 2 beta q_i),  dk_j = sum_i du_ij (alpha q_i - 2 gamma k_j).
  void scores_backward(const HeadInputs& in, const Real* du, const Inputs<Real>& to) {
    const HeadRows queries = padded(in.q, T, K, space_), keys = padded(in.k, S, K, more_space_);
    if (to.q.data) {
      weighted_sums(false, du, keys, K, [&](Index i, Index d, Lanes sums) {
        sums *= alpha;
        if (beta != 0) sums -= 2 * beta * row_sum(du, i) * lanes(queries.data + i * queries.stride + d);
        put(to.q.data + i * to.q.stride + d, sums, K - d, true);
      });
    }
    if (to.k.data) {
      if (gamma != 0) add_columns(du);
      const Real* du_sums = norms_.data();
      weighted_sums(true, du, queries, K, [&](Index j, Index d, Lanes sums) {
        sums *= alpha;
        if (gamma != 0) sums -= 2 * gamma * du_sums[j] * lanes(keys.data + j * keys.stride + d);
        put(to.k.data + j * to.k.stride + d, sums, K - d, true);
      });
    }
  }

  /// The sum over j of du_ij.
  Real row_sum(const Real* du, Index i) const {
    Lanes sums{};
    for (Index j = 0; j < reach(i); j += lane_count) sums += lanes(du + i * width_ + j);
    return sum(sums);
  }

  /// norms_j = the sum over i of du_ij.
  void add_columns(const Real* du) {
    norms_.fill(0);
    Real* sums = norms_.data();
    for (Index i = 0; i < T; ++i, du += width_) {
      for (Index j = 0; j < reach(i); j += lane_count) lanes(sums + j) += lanes(du + j);
    }
  }

  AttentionSettings s;
  Index T, S, D, K, width_;
  Real alpha, beta, gamma;
  Tensor space_, more_space_;  // for the copies of a head's rows, transposed or padded
  Tensor near_;                // moved queries and keys of a sequence, of all heads
  Tensor norms_;               // [width]: one number a key
  Tensor gradient_;            // [T, width]
};

}  // namespace

Variable fast_attention(const HeadColumns& q, const HeadColumns& k, const HeadColumns& v, const AttentionSettings& s,
                        DropoutStream& stream) {
  const auto rows = [](const HeadColumns& x) -> HeadRows {
    return {x.matrix.value().data() + x.first_column, x.matrix.shape()[1]};
  };
  const HeadInputs all = {rows(q), rows(k), rows(v)};
  Head head(s);
  const Shape shape = {s.batch, s.heads, s.queries, head.width()};
  const Index size = s.queries * head.width(), columns = s.heads * s.head_size;
  Tensor w(shape), a = s.normalizer == Normalizer::softmax ? Tensor(shape) : w;
  Tensor p = s.dropped > 0 ? Tensor(shape) : w;  // the weights after dropout
  std::optional<DropoutMask> mask;
  if (s.dropped > 0) mask.emplace(stream, w.size(), s.dropped);
  Tensor out({s.batch * s.queries, columns});
  head.for_each_head(all, [&](const HeadInputs& in, Index sequence, Index h, Index number) {
    const Index at = number * size;
    head.weights(in, w.data() + at, a.data() + at);
    const Real* weights = w.data();
    Real* dropped = p.data();
    for (Index i = at; mask && i < at + size; i += lane_count) {
      lanes(dropped + i) = lanes(weights + i) * mask->factors(i);
    }
    head.output(in, dropped + at, out.data() + (sequence * s.queries * s.heads + h) * s.head_size, columns);
  });

  const auto firsts = std::array{q.first_column, k.first_column, v.first_column};
  return record("attention", std::move(out), {q.matrix, k.matrix, v.matrix},
                [s, all, vq = q.matrix.value(), vk = k.matrix.value(), vv = v.matrix.value(), firsts, size, columns, w,
                 a, p, mask = std::move(mask)](const Tensor& g, InputGradients& inputs) {
                  const auto gradient = [&](std::size_t i) {
                    Tensor* total = inputs.wanted(i) ? &inputs.accumulator(i) : nullptr;
                    return Rows<Real>{total ? total->data() + firsts[i] : nullptr, total ? total->shape()[1] : 0};
                  };
                  const Inputs<Real> gradients = {gradient(0), gradient(1), gradient(2)};
                  const HeadRows dout = {g.data(), columns};
                  Head one(s);
                  one.for_each_head(all, [&](const HeadInputs& in, Index sequence, Index h, Index number) {
                    const Index at = number * size;
                    one.backward(in, w.data() + at, a.data() + at, p.data() + at, mask, at,
                                 dout.of(sequence, s.queries, h, s.head_size), gradients.of(s, sequence, h));
                  });
                });
}

}  // namespace qisa
