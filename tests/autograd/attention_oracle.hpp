// Attention written from the formulas of attention.hpp as loops over single weights in long double,
// and inputs to compare on.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "autograd/attention.hpp"
#include "tensor/random.hpp"
#include "tests/catch.hpp"

namespace qisa::test {

constexpr double attention_tolerance = sizeof(Real) == 8 ? 1e-13 : 4e-6;

inline AttentionSettings settings(Index batch, Index queries, Index keys, Index heads, Index head_size) {
  AttentionSettings s;
  s.batch = batch;
  s.queries = queries;
  s.keys = keys;
  s.heads = heads;
  s.head_size = head_size;
  s.scale = Real(0.4);
  return s;
}

struct Kind {
  std::string name;
  Score score;
  Normalizer normalizer;
};

inline const std::vector<Kind> kinds = {{"dot, sum", Score::dot, Normalizer::sum},
                                        {"gaussian, sum", Score::gaussian, Normalizer::sum},
                                        {"gaussian, softmax", Score::gaussian, Normalizer::softmax}};

inline AttentionSettings with(AttentionSettings s, const Kind& kind, Aggregation aggregation = Aggregation::causal) {
  s.score = kind.score;
  s.normalizer = kind.normalizer;
  s.aggregation = aggregation;
  return s;
}

struct AttentionInputs {
  Tensor q, k, v;
};

inline AttentionInputs draw(const AttentionSettings& s) {
  Random random(1, Purpose::tests);
  const auto matrix = [&](Index rows) {
    Tensor x({rows, s.heads * s.head_size});
    for (Real& value : x.values()) value = static_cast<Real>(random.uniform(-1.5, 1.5));
    return x;
  };
  return {matrix(s.batch * s.queries), matrix(s.batch * s.keys), matrix(s.batch * s.keys)};
}

constexpr AttentionForm forms[] = {AttentionForm::plain, AttentionForm::fast};

inline Tensor run(const AttentionInputs& in, const AttentionSettings& s, DropoutStream stream = {},
                  AttentionForm form = AttentionForm::fast) {
  return attention({Variable(in.q)}, {Variable(in.k)}, {Variable(in.v)}, s, stream, form).value();
}

/// The weights of head h of sequence b: [T][S].
inline std::vector<std::vector<long double>> expected_weights(const AttentionInputs& in, const AttentionSettings& s,
                                                              Index b, Index h) {
  const Index width = s.heads * s.head_size;
  std::vector<std::vector<long double>> rows;
  for (Index i = 0; i < s.queries; ++i) {
    std::vector<long double> row(static_cast<std::size_t>(s.keys));
    const Index visible = s.keys - s.queries + i + 1;
    long double total = 0;
    for (Index j = 0; j < visible; ++j) {
      long double dot = 0, distance = 0;
      for (Index d = 0; d < s.head_size; ++d) {
        const auto q = static_cast<long double>(in.q[(b * s.queries + i) * width + h * s.head_size + d]);
        const auto k = static_cast<long double>(in.k[(b * s.keys + j) * width + h * s.head_size + d]);
        dot += q * k;
        distance += (q - k) * (q - k);
      }
      long double a = s.score == Score::dot ? std::exp(static_cast<long double>(s.scale) * dot) : std::exp(-distance);
      if (s.normalizer == Normalizer::softmax) a = std::exp(a);
      row[static_cast<std::size_t>(j)] = a;
      total += a;
    }
    for (long double& weight : row) weight /= total;
    rows.push_back(std::move(row));
  }
  return rows;
}

/// The output, [B*T, H*D]. Query i is position S-T+i of its sequence.
inline std::vector<long double> expected_output(const AttentionInputs& in, const AttentionSettings& s) {
  const Index width = s.heads * s.head_size;
  std::vector<long double> out(static_cast<std::size_t>(s.batch * s.queries * width));
  for (Index b = 0; b < s.batch; ++b) {
    for (Index h = 0; h < s.heads; ++h) {
      const auto weights = expected_weights(in, s, b, h);
      for (Index i = 0; i < s.queries; ++i) {
        for (Index j = 0; j < s.keys; ++j) {
          const bool causal = s.aggregation == Aggregation::causal;
          const Index to = causal ? i : j, from = causal ? j : i;
          for (Index d = 0; d < s.head_size; ++d) {
            out[static_cast<std::size_t>((b * s.queries + to) * width + h * s.head_size + d)] +=
                weights[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] *
                static_cast<long double>(in.v[(b * s.keys + from) * width + h * s.head_size + d]);
          }
        }
      }
    }
  }
  return out;
}

inline void check_equal(const Tensor& actual, const std::vector<long double>& expected,
                        double margin = attention_tolerance) {
  REQUIRE(actual.size() == static_cast<Index>(expected.size()));
  for (Index i = 0; i < actual.size(); ++i) {
    CHECK(static_cast<double>(actual[i]) ==
          Approx(static_cast<double>(expected[static_cast<std::size_t>(i)])).epsilon(0).margin(margin));
  }
}

}  // namespace qisa::test
