// Letters: B sequences, H heads, T queries, S keys, D head_size, K columns of a query or key. Each sequence and
// head is a small problem of its own: attention_head.hpp.
#include "autograd/attention.hpp"

#include <algorithm>
#include <optional>

#include "autograd/fast/attention_head.hpp"
#include "tensor/fast/dropout_mask.hpp"

namespace qisa {
namespace {

HeadRows rows_of(const Tensor& matrix, Index first_column, Index rows, Index columns, Index sequence, Index head) {
  const Index width = matrix.shape()[1];
  return {matrix.data() + sequence * rows * width + first_column + head * columns, width};
}

void check_sizes(const char* which, const HeadColumns& columns, Index rows, Index heads, Index each) {
  require_values("attention", columns.matrix);
  const Shape& shape = columns.matrix.shape();
  require(shape.rank() == 2 && shape[0] == rows && columns.first_column >= 0 &&
              columns.first_column + heads * each <= shape[1],
          "[attention] {} {} from column {}: needs {} rows and {} heads of {} columns", which, shape,
          columns.first_column, rows, heads, each);
}

void check_settings(const AttentionSettings& s) {
  require(s.key_columns() >= 1 && s.head_size % s.key_columns() == 0,
          "[attention] {} columns of q and k a head cannot be repeated to head_size {}", s.key_columns(), s.head_size);
  require(s.keys >= s.queries, "[attention] {} keys for {} queries: there must be at least as many", s.keys, s.queries);
  require(s.aggregation == Aggregation::causal || s.keys == s.queries,
          "[attention] transposed aggregation needs all {} positions as queries, not the last {}", s.keys, s.queries);
  require(s.score == Score::gaussian || s.normalizer == Normalizer::sum,
          "[attention] the softmax normalizer is defined for gaussian scores only");
  require(s.dropped >= 0 && s.dropped < 1, "[attention] dropout must be at least 0 and less than 1, not {}", s.dropped);
}

/// All weights, and the exponentials A if the normalizer is softmax: [B, H, T, S padded to whole lanes] each.
struct Weights {
  Tensor w, a;
};

Weights all_weights(const HeadColumns& q, const HeadColumns& k, const AttentionSettings& s, AttentionHead& head) {
  const Shape shape = {s.batch, s.heads, s.queries, head.width()};
  Weights result{Tensor(shape), s.normalizer == Normalizer::softmax ? Tensor(shape) : Tensor()};
  for (Index b = 0; b < s.batch; ++b) {
    for (Index h = 0; h < s.heads; ++h) {
      const Index at = (b * s.heads + h) * s.queries * head.width();
      head.weights(rows_of(q.matrix.value(), q.first_column, s.queries, s.key_columns(), b, h),
                   rows_of(k.matrix.value(), k.first_column, s.keys, s.key_columns(), b, h), result.w.data() + at,
                   result.a.empty() ? nullptr : result.a.data() + at);
    }
  }
  return result;
}

}  // namespace

Tensor attention_weights(const HeadColumns& q, const HeadColumns& k, const AttentionSettings& s) {
  check_settings(s);
  check_sizes("q", q, s.batch * s.queries, s.heads, s.key_columns());
  check_sizes("k", k, s.batch * s.keys, s.heads, s.key_columns());
  AttentionHead head(s);
  const Tensor w = all_weights(q, k, s, head).w;
  Tensor result({s.batch, s.heads, s.queries, s.keys});
  for (Index row = 0; row < s.batch * s.heads * s.queries; ++row) {
    std::copy_n(w.data() + row * head.width(), s.keys, result.data() + row * s.keys);
  }
  return result;
}

Variable attention(const HeadColumns& q, const HeadColumns& k, const HeadColumns& v, const AttentionSettings& s,
                   DropoutStream& stream) {
  check_settings(s);
  const Index T = s.queries, S = s.keys, D = s.head_size, K = s.key_columns(), columns = s.heads * D;
  check_sizes("q", q, s.batch * T, s.heads, K);
  check_sizes("k", k, s.batch * S, s.heads, K);
  check_sizes("v", v, s.batch * S, s.heads, D);

  AttentionHead head(s);
  const auto [w, a] = all_weights(q, k, s, head);
  std::optional<DropoutMask> mask;
  Tensor p = w;  // the weights after dropout
  if (s.dropped > 0) {
    mask.emplace(stream, w.size(), s.dropped);
    p = Tensor(w.shape());
    mask->multiply(w.data(), p.data());
  }
  Tensor out({s.batch * T, columns});
  for (Index b = 0; b < s.batch; ++b) {
    for (Index h = 0; h < s.heads; ++h) {
      head.output(p.data() + (b * s.heads + h) * T * head.width(),
                  rows_of(v.matrix.value(), v.first_column, S, D, b, h), out.data() + b * T * columns + h * D, columns);
    }
  }

  return record(
      "attention", std::move(out), {q.matrix, k.matrix, v.matrix},
      [vq = q.matrix.value(), vk = k.matrix.value(), vv = v.matrix.value(), first_q = q.first_column,
       first_k = k.first_column, first_v = v.first_column, w = w, a = a, p, mask = std::move(mask), s, T, S, D,
       K](const Tensor& g, InputGradients& inputs) {
        Real* dq = inputs.wanted(0) ? inputs.accumulator(0).data() : nullptr;
        Real* dk = inputs.wanted(1) ? inputs.accumulator(1).data() : nullptr;
        Real* dv = inputs.wanted(2) ? inputs.accumulator(2).data() : nullptr;
        AttentionHead one(s);
        Tensor du({T, one.width()});
        for (Index b = 0; b < s.batch; ++b) {
          for (Index h = 0; h < s.heads; ++h) {
            const Index at = (b * s.heads + h) * T * one.width();
            const HeadRows queries = rows_of(vq, first_q, T, K, b, h), keys = rows_of(vk, first_k, S, K, b, h),
                           values = rows_of(vv, first_v, S, D, b, h), dout = rows_of(g, 0, T, D, b, h);
            one.output_backward(p.data() + at, values, dout, du.data(), dv ? dv + (values.data - vv.data()) : nullptr);
            if (!dq && !dk) continue;
            for (Index i = 0; mask && i < T * one.width(); i += lane_count) {
              lanes(du.data() + i) *= mask->factors(at + i);
            }
            one.weights_backward(w.data() + at, a.empty() ? nullptr : a.data() + at, du.data());
            one.scores_backward(queries, keys, du.data(), dq ? dq + (queries.data - vq.data()) : nullptr,
                                dk ? dk + (keys.data - vk.data()) : nullptr);
          }
        }
      });
}

}  // namespace qisa
