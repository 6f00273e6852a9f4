// Masked self-attention of all heads: scores, a normalizer that makes weights of them, and an
// aggregation that applies the weights to the values.
#pragma once

#include "autograd/variable.hpp"
#include "tensor/dropout_stream.hpp"

namespace qisa {

/// How a query q and a key k are compared.
enum class Score {
  dot,       // exp(scale q·k)
  gaussian,  // exp(-|q - k|^2)
};

/// How the scores a_ij of one query, j <= i, become weights.
enum class Normalizer {
  sum,      // a_ij / sum_j a_ij; of dot scores it is what is usually called softmax
  softmax,  // softmax of a_ij over j, as in the paper's published code; only for gaussian scores
};

/// How the weights w_ij, j <= i, are applied to the values.
enum class Aggregation {
  causal,      // out_i = sum_j w_ij v_j: position i reads positions up to i
  transposed,  // out_j = sum_i w_ij v_i: position j reads positions from j on, the future among them;
               // the paper's published code, kept to reproduce it
};

/// Both give the same values and gradients up to rounding.
enum class AttentionForm {
  plain,  // operations, head after head, as the formulas stand (attention.cpp)
  fast,   // one operation for all heads (fast/attention.cpp)
};

struct AttentionSettings {
  Index batch = 1;      // B, sequences
  Index queries = 1;    // T, positions of a sequence that ask; the last T of its positions
  Index keys = 1;       // S >= T, positions of a sequence that can be read; S = T except with a cache
  Index heads = 1;      // H
  Index head_size = 1;  // D
  Index key_size = 0;   // columns of q and k a head, each repeated D / key_size times; 0 means D
  Score score = Score::dot;
  Real scale = 1;  // of dot scores
  Normalizer normalizer = Normalizer::sum;
  Aggregation aggregation = Aggregation::causal;
  Real dropped = 0;  // dropout probability of the weights

  /// K, columns of q and k a head.
  Index key_columns() const { return key_size == 0 ? head_size : key_size; }
};

/// H*D neighbouring columns of a matrix with one row a token: head h has columns first_column + h*D
/// to first_column + h*D + D-1; K in place of D for q and k. So q, k and v may be parts of one product.
struct HeadColumns {
  Variable matrix;
  Index first_column = 0;
};

/// q [B*T, …], k and v [B*S, …] -> [B*T, H*D]. `stream` is read only when settings.dropped > 0.
/// Throws when the sizes disagree, K does not divide D, and for `transposed` unless S = T.
Variable attention(const HeadColumns& q, const HeadColumns& k, const HeadColumns& v, const AttentionSettings& settings,
                   DropoutStream& stream, AttentionForm form = AttentionForm::fast);

/// The weights of every head before dropout: q [B*T, …], k [B*S, …] -> [B, H, T, S]; zero where j > i.
Tensor attention_weights(const HeadColumns& q, const HeadColumns& k, const AttentionSettings& settings);

}  // namespace qisa
