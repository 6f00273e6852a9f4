// Attention as the formulas of attention.hpp stand, one head of one sequence after the other.
//
// Letters: B sequences, H heads, T queries, S keys, D head_size, K columns of a query or key; i counts queries,
// j keys. Query i is position S - T + i of its sequence, and sees the keys up to its own.
#include "autograd/attention.hpp"

#include <limits>

#include "autograd/fast/attention.hpp"
#include "autograd/operations.hpp"

namespace qisa {
namespace {

void check_columns(const char* which, const HeadColumns& columns, Index rows, Index heads, Index each) {
  require_values("attention", columns.matrix);
  const Shape& shape = columns.matrix.shape();
  require(shape.rank() == 2 && shape[0] == rows && columns.first_column >= 0 &&
              columns.first_column + heads * each <= shape[1],
          "[attention] {} {} from column {}: needs {} rows and {} heads of {} columns", which, shape,
          columns.first_column, rows, heads, each);
}

void check(const HeadColumns& q, const HeadColumns& k, const AttentionSettings& s) {
  require(s.key_columns() >= 1 && s.head_size % s.key_columns() == 0,
          "[attention] {} columns of q and k a head cannot be repeated to head_size {}", s.key_columns(), s.head_size);
  require(s.keys >= s.queries, "[attention] {} keys for {} queries: there must be at least as many", s.keys, s.queries);
  require(s.aggregation == Aggregation::causal || s.keys == s.queries,
          "[attention] transposed aggregation needs all {} positions as queries, not the last {}", s.keys, s.queries);
  require(s.score == Score::gaussian || s.normalizer == Normalizer::sum,
          "[attention] the softmax normalizer is defined for gaussian scores only");
  require(s.dropped >= 0 && s.dropped < 1, "[attention] dropout must be at least 0 and less than 1, not {}", s.dropped);
  check_columns("q", q, s.batch * s.queries, s.heads, s.key_columns());
  check_columns("k", k, s.batch * s.keys, s.heads, s.key_columns());
}

/// The rows of sequence b and the columns of head h.
Variable head_of(const HeadColumns& x, Index b, Index rows, Index h, Index columns) {
  return narrow(narrow(x.matrix, 0, b * rows, rows), 1, x.first_column + h * columns, columns);
}

/// The weights w [T, S] of head h of sequence b. With the scores a = exp(u) they are a / sum a = softmax(u),
/// or softmax(a), over the visible keys.
Variable head_weights(const HeadColumns& all_q, const HeadColumns& all_k, const AttentionSettings& s, Index b,
                      Index h) {
  const Index T = s.queries, S = s.keys, K = s.key_columns();
  const Variable q = head_of(all_q, b, T, h, K), k = head_of(all_k, b, S, h, K);
  const auto repeats = static_cast<Real>(s.head_size / K);
  Variable u;
  if (s.score == Score::dot) {
    u = scale(matmul(q, transpose(k, 0, 1)), s.scale * repeats);
  } else {
    const Variable difference = reshape(q, {T, 1, K}) - reshape(k, {1, S, K});
    u = scale(sum(difference * difference, 2), -repeats);
  }
  Tensor hidden = Tensor::zeros({T, S});
  for (Index i = 0; i < T; ++i) {
    for (Index j = S - T + i + 1; j < S; ++j) hidden[i * S + j] = -std::numeric_limits<Real>::infinity();
  }
  return softmax((s.normalizer == Normalizer::sum ? u : exp(u)) + Variable(hidden));
}

}  // namespace

Variable attention(const HeadColumns& q, const HeadColumns& k, const HeadColumns& v, const AttentionSettings& s,
                   DropoutStream& stream, AttentionForm form) {
  check(q, k, s);
  check_columns("v", v, s.batch * s.keys, s.heads, s.head_size);
  if (form == AttentionForm::fast) return fast_attention(q, k, v, s, stream);
  std::vector<Variable> sequences;
  for (Index b = 0; b < s.batch; ++b) {
    std::vector<Variable> heads;
    for (Index h = 0; h < s.heads; ++h) {
      Variable w = dropout(head_weights(q, k, s, b, h), s.dropped, stream);
      if (s.aggregation == Aggregation::transposed) w = transpose(w, 0, 1);
      heads.push_back(matmul(w, head_of(v, b, s.keys, h, s.head_size)));
    }
    sequences.push_back(concat(heads, 1));
  }
  return concat(sequences, 0);
}

Tensor attention_weights(const HeadColumns& q, const HeadColumns& k, const AttentionSettings& s) {
  check(q, k, s);
  std::vector<Variable> heads;
  for (Index b = 0; b < s.batch; ++b) {
    for (Index h = 0; h < s.heads; ++h) heads.push_back(head_weights(q, k, s, b, h));
  }
  return concat(heads, 0).value().reshape({s.batch, s.heads, s.queries, s.keys});
}

}  // namespace qisa
