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
// Distances do not change when queries and keys move alike. Gaussian scores take the sequence's first key, which all of
// its queries see, as origin: products of numbers that share a large part would lose the digits in which they differ.
//
// The matrices [T, S] of a head are stored with rows padded to whole lanes, and their products are sums in registers
// (lane_product.hpp). What lies in the future is left out: four rows at a time reach the keys that the last of them
// sees, and no further group of lanes is computed.
#include "autograd/fast/attention.hpp"

#include <algorithm>
#include <optional>

#include "tensor/fast/dropout_mask.hpp"
#include "tensor/fast/exponential.hpp"
#include "tensor/fast/lane_product.hpp"
#include "tensor/fast/lane_transpose.hpp"
#include "tensor/fast/softmax.hpp"

namespace qisa {
namespace {

/// The rows of one head of one sequence within a matrix of tokens, `stride` apart.
struct HeadRows {
  const Real* data;
  Index stride;
};

struct HeadInputs {
  HeadRows q, k, v;
};

/// Where the gradients of a head's inputs are added up, in rows that lie as theirs; null for one that is not wanted.
struct HeadGradients {
  Real *q, *k, *v;
};

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
  }

  /// The length of the rows of W, A, P and their gradients: S, padded to whole lanes.
  Index width() const { return width_; }

  /// W [T, width], zero where j > i; also A if the normalizer is softmax.
  void weights(const HeadInputs& in, Real* w, Real* a) {
    const HeadRows queries = padded(in.q, T, K, origin(in), more_space_), keys = transposed(in.k, S, K);
    Real *columns = space_.data(), *norms = norms_.data();
    for (Index j = 0; j < width_ && gamma != 0; j += lane_count) {
      Lanes squares{};
      for (Index d = 0; d < K; ++d) {
        Lanes& key = lanes(columns + d * width_ + j);
        key -= in.k.data[d];
        squares += key * key;
      }
      lanes(norms + j) = gamma * squares;
    }
    dot_products(queries, keys, K, [&](Index i, Index j, const Lanes& dots) {
      lanes(w + i * width_ + j) = alpha * dots - lanes(norms + j);
    });
    for (Index i = 0; i < T; ++i) {
      Real* row = w + i * width_;
      const Index visible = S - T + i + 1, computed = padded_to_lanes(visible);
      if (s.normalizer == Normalizer::softmax) {
        Lanes squares{};
        for (Index d = 0; d < K; d += lane_count) {
          const Lanes& query = lanes(queries.data + i * queries.stride + d);
          squares += query * query;
        }
        const Real query_norm = beta * sum(squares);
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
    weighted_sums(is_transposed(), p, padded(in.v, S, D, nullptr, space_), D,
                  [&](Index i, Index d, const Lanes& sums) { put(out + i * stride + d, sums, D - d, false); });
  }

  /// Adds all gradients, given the output's. Dropout's mask, if there is one, begins at number `at`.
  void backward(const HeadInputs& in, const Real* w, const Real* a, const Real* p,
                const std::optional<DropoutMask>& mask, Index at, const HeadRows& dout, const HeadGradients& to) {
    // out = P V:    dP = dout V^T,  dV = P^T dout.
    // out = P^T V:  dP = V dout^T,  dV = P dout.
    if (to.v) {
      weighted_sums(!is_transposed(), p, padded(dout, T, D, nullptr, space_), D,
                    [&](Index j, Index d, const Lanes& sums) { put(to.v + j * in.v.stride + d, sums, D - d, true); });
    }
    if (!to.q && !to.k) return;
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
  /// Where distances are measured from; null for dot products.
  const Real* origin(const HeadInputs& in) const { return gamma == 0 ? nullptr : in.k.data; }
  /// How many keys the four rows of row i reach.
  Index reach(Index i) const { return std::min(S, S - T + (i | 3) + 1); }

  /// The rows less the origin, with zeros after them up to whole lanes: `x` itself if it has no need of either, or a
  /// copy in `space`.
  static HeadRows padded(const HeadRows& x, Index rows, Index columns, const Real* origin, Tensor& space) {
    const Index width = padded_to_lanes(columns);
    if (width == columns && !origin) return x;
    Real* to = space.data();
    const Index whole = whole_lanes(columns);
    for (Index i = 0; i < rows; ++i, to += width) {
      const Real* from = x.data + i * x.stride;
      for (Index d = 0; d < whole; d += lane_count) {
        lanes(to + d) = origin ? lanes(from + d) - lanes(origin + d) : lanes(from + d);
      }
      if (whole < width) lanes(to + whole) = Lanes{};
      for (Index d = whole; d < columns; ++d) to[d] = origin ? from[d] - origin[d] : from[d];
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
  void scores_backward(const HeadInputs& in, const Real* du, const HeadGradients& to) {
    const HeadRows queries = padded(in.q, T, K, origin(in), space_), keys = padded(in.k, S, K, origin(in), more_space_);
    if (to.q) {
      weighted_sums(false, du, keys, K, [&](Index i, Index d, Lanes sums) {
        sums *= alpha;
        if (beta != 0) sums -= 2 * beta * row_sum(du, i) * lanes(queries.data + i * queries.stride + d);
        put(to.q + i * in.q.stride + d, sums, K - d, true);
      });
    }
    if (to.k) {
      if (gamma != 0) add_columns(du);
      const Real* du_sums = norms_.data();
      weighted_sums(true, du, queries, K, [&](Index j, Index d, Lanes sums) {
        sums *= alpha;
        if (gamma != 0) sums -= 2 * gamma * du_sums[j] * lanes(keys.data + j * keys.stride + d);
        put(to.k + j * in.k.stride + d, sums, K - d, true);
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
  Tensor space_, more_space_;  // for the copies of a head's rows, transposed, moved or padded
  Tensor norms_;               // [width]: one number a key
  Tensor gradient_;            // [T, width]
};

/// The inputs of all heads.
struct AllHeads {
  AttentionSettings s;
  Tensor q, k, v;
  Index first_q, first_k, first_v;  // columns

  /// Calls visit(inputs, number, first) for every head: its number among all, and its first element in [B*T, H*D].
  template <class Visit>
  void for_each(Visit visit) const {
    const Index T = s.queries, S = s.keys, D = s.head_size, K = s.key_columns();
    const auto rows = [](const Tensor& matrix, Index row, Index column) {
      return HeadRows{matrix.data() + row * matrix.shape()[1] + column, matrix.shape()[1]};
    };
    for (Index b = 0; b < s.batch; ++b) {
      for (Index h = 0; h < s.heads; ++h) {
        visit(HeadInputs{rows(q, b * T, first_q + h * K), rows(k, b * S, first_k + h * K),
                         rows(v, b * S, first_v + h * D)},
              b * s.heads + h, (b * T * s.heads + h) * D);
      }
    }
  }
};

}  // namespace

Variable fast_attention(const HeadColumns& q, const HeadColumns& k, const HeadColumns& v, const AttentionSettings& s,
                        DropoutStream& stream) {
  const AllHeads all = {
      s, q.matrix.value(), k.matrix.value(), v.matrix.value(), q.first_column, k.first_column, v.first_column};
  Head head(s);
  const Shape shape = {s.batch, s.heads, s.queries, head.width()};
  const Index size = s.queries * head.width(), columns = s.heads * s.head_size;
  Tensor w(shape), a = s.normalizer == Normalizer::softmax ? Tensor(shape) : w;
  Tensor p = s.dropped > 0 ? Tensor(shape) : w;  // the weights after dropout
  std::optional<DropoutMask> mask;
  if (s.dropped > 0) mask.emplace(stream, w.size(), s.dropped);
  Tensor out({s.batch * s.queries, columns});
  all.for_each([&](const HeadInputs& in, Index number, Index first) {
    const Index at = number * size;
    head.weights(in, w.data() + at, a.data() + at);
    const Real* weights = w.data();
    Real* dropped = p.data();
    for (Index i = at; mask && i < at + size; i += lane_count) {
      lanes(dropped + i) = lanes(weights + i) * mask->factors(i);
    }
    head.output(in, dropped + at, out.data() + first, columns);
  });

  return record(
      "attention", std::move(out), {q.matrix, k.matrix, v.matrix},
      [all, size, columns, w, a, p, mask = std::move(mask)](const Tensor& g, InputGradients& inputs) {
        const auto gradient = [&](std::size_t input) {
          return inputs.wanted(input) ? inputs.accumulator(input).data() : nullptr;
        };
        Real *dq = gradient(0), *dk = gradient(1), *dv = gradient(2);
        Head one(all.s);
        all.for_each([&](const HeadInputs& in, Index number, Index first) {
          const HeadGradients to = {dq ? dq + (in.q.data - all.q.data()) : nullptr,
                                    dk ? dk + (in.k.data - all.k.data()) : nullptr,
                                    dv ? dv + (in.v.data - all.v.data()) : nullptr};
          const Index at = number * size;
          one.backward(in, w.data() + at, a.data() + at, p.data() + at, mask, at, {g.data() + first, columns}, to);
        });
      });
}

}  // namespace qisa
