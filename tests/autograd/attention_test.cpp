// Attention, in its plain form and its fast one, against loops over single weights (attention_oracle.hpp), and the
// promises that no formula shows: who can read whom, bit for bit.
#include "autograd/attention.hpp"

#include "autograd/backward.hpp"
#include "autograd/operations.hpp"
#include "tests/autograd/attention_oracle.hpp"

namespace attention_test {

using namespace qisa;
using namespace qisa::test;
using Catch::Matchers::Contains;

TEST_CASE("attention is the sum of values by the weights of the formulas", "[attention]") {
  for (const AttentionSettings& sizes : {settings(1, 1, 1, 1, 1), settings(1, 5, 5, 1, 4), settings(2, 1, 1, 3, 2),
                                         settings(2, 7, 7, 3, 5), settings(1, 17, 17, 2, 16)}) {
    for (const Kind& kind : kinds) {
      for (const Aggregation aggregation : {Aggregation::causal, Aggregation::transposed}) {
        const AttentionSettings s = with(sizes, kind, aggregation);
        CAPTURE(kind.name, s.batch, s.queries, s.heads, s.head_size, aggregation == Aggregation::causal);
        const AttentionInputs in = draw(s);
        const auto expected = expected_output(in, s);
        for (const AttentionForm form : forms) {
          CAPTURE(form == AttentionForm::fast);
          check_equal(run(in, s, {}, form), expected);
        }
      }
    }
  }
}

TEST_CASE("with more keys than queries, the queries are the last positions", "[attention]") {
  for (const Kind& kind : kinds) {
    for (const Index queries : {1, 2, 6}) {
      const AttentionSettings s = with(settings(2, queries, 6, 2, 3), kind);
      CAPTURE(kind.name, queries);
      const AttentionInputs in = draw(s);
      const auto expected = expected_output(in, s);
      for (const AttentionForm form : forms) check_equal(run(in, s, {}, form), expected);
    }
  }
}

TEST_CASE("with a cache, outputs are the last rows of those for all positions", "[attention]") {
  for (const Kind& kind : kinds) {
    const AttentionSettings all = with(settings(1, 8, 8, 2, 4), kind);
    const AttentionInputs in = draw(all);
    const Tensor full = run(in, all);
    for (const Index queries : {1, 3, 8}) {
      CAPTURE(kind.name, queries);
      AttentionSettings last = all;
      last.queries = queries;
      const Tensor cached = run({in.q.part((8 - queries) * 8, {queries, 8}), in.k, in.v}, last);
      for (Index i = 0; i < cached.size(); ++i) {
        CHECK(static_cast<double>(cached[i]) ==
              Approx(static_cast<double>(full[(8 - queries) * 8 + i])).epsilon(0).margin(1e-5));
      }
    }
  }
}

TEST_CASE("attention_weights are those of the formulas, zero for later keys, and each row sums to 1", "[attention]") {
  for (const Kind& kind : kinds) {
    for (const Index queries : {2, 5}) {
      const AttentionSettings s = with(settings(2, queries, 5, 3, 4), kind);
      CAPTURE(kind.name, queries);
      const AttentionInputs in = draw(s);
      const Tensor weights = attention_weights({Variable(in.q)}, {Variable(in.k)}, s);
      REQUIRE(weights.shape() == Shape{2, 3, queries, 5});
      for (Index matrix = 0; matrix < 6; ++matrix) {
        const auto expected = expected_weights(in, s, matrix / 3, matrix % 3);
        for (Index i = 0; i < queries; ++i) {
          double total = 0;
          for (Index j = 0; j < 5; ++j) {
            const Real weight = weights[(matrix * queries + i) * 5 + j];
            const auto oracle = static_cast<double>(expected[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)]);
            CHECK(static_cast<double>(weight) == Approx(oracle).epsilon(0).margin(attention_tolerance));
            if (j > 5 - queries + i) CHECK(weight == 0);
            total += static_cast<double>(weight);
          }
          CHECK(total == Approx(1).epsilon(0).margin(attention_tolerance));
        }
      }
    }
  }
}

/// The weights of one sequence and head as attention uses them: its output where the values are the unit matrix.
Tensor used_weights(AttentionInputs in, AttentionSettings s, AttentionForm form) {
  const Index length = s.queries, D = s.head_size;
  s.key_size = D;
  s.head_size = D * length;  // whole repeats of q and k, and room for the unit matrix
  in.v = Tensor::zeros({length, s.head_size});
  for (Index i = 0; i < length; ++i) in.v[i * s.head_size + i] = 1;
  const Tensor out = run(in, s, {}, form);
  Tensor w({length, length});
  for (Index i = 0; i < w.size(); ++i) w[i] = out[i / length * s.head_size + i % length];
  return w;
}

TEST_CASE("softmax of gaussian scores never makes two weights of a row differ by more than a factor e", "[attention]") {
  // Every query sits on the key of its own position, and all points are so far apart that other scores are 0. The
  // square of the distance to its own key, by products, is rounded to some number that may be less than 0.
  constexpr Index length = 40;
  const AttentionSettings s = with(settings(1, length, length, 1, 7), kinds[2]);
  AttentionInputs in = draw(s);
  for (Real& value : in.k.values()) value *= Real(sizeof(Real) == 8 ? 1e9 : 1e4);
  in.q = in.k.clone();
  for (const AttentionForm form : forms) {
    const Tensor w = used_weights(in, s, form);
    for (Index i = 1; i < length; ++i) {
      CAPTURE(i, form == AttentionForm::plain);
      const auto ratio = static_cast<double>(w[i * length + i] / w[i * length]);
      CHECK(ratio < std::exp(1.0) * (1 + 1e-5));
      if (form == AttentionForm::plain) CHECK(ratio == Approx(std::exp(1.0)).epsilon(1e-5));
    }
  }
}

TEST_CASE("gaussian weights keep their digits where queries and keys share an offset", "[attention]") {
  const Real offset = sizeof(Real) == 8 ? Real(1e6) : Real(100);
  for (const Kind& kind : {kinds[1], kinds[2]}) {
    for (const Index queries : {4, 7}) {
      const AttentionSettings s = with(settings(2, queries, 7, 2, 5), kind);
      AttentionInputs in = draw(s);
      for (Tensor* x : {&in.q, &in.k}) {
        for (Real& value : x->values()) value += offset;
      }
      CAPTURE(kind.name, queries);
      const auto expected = expected_output(in, s);
      std::vector<std::vector<Tensor>> gradients;
      for (const AttentionForm form : forms) {
        const Variable q = Variable::leaf(in.q), k = Variable::leaf(in.k), v = Variable::leaf(in.v);
        DropoutStream stream;
        const Variable out = attention({q}, {k}, {v}, s, stream, form);
        check_equal(out.value(), expected);
        backward(sum(out * out));
        gradients.push_back({q.gradient(), k.gradient(), v.gradient()});
      }
      for (std::size_t input = 0; input < 3; ++input) {
        const Tensor &plain = gradients[0][input], &fast = gradients[1][input];
        for (Index i = 0; i < plain.size(); ++i) {
          CHECK(static_cast<double>(fast[i]) ==
                Approx(static_cast<double>(plain[i])).epsilon(0).margin(10 * attention_tolerance));
        }
      }
    }
  }
}

TEST_CASE("gaussian weights that sum to 1 do not underflow when all points are far apart", "[attention]") {
  // Whole numbers, so that every score is exact in float too: squared distances are about 10,000.
  const AttentionSettings s = with(settings(1, 6, 6, 1, 2), kinds[1]);
  AttentionInputs in = draw(s);
  for (Index i = 0; i < 6; ++i) {
    in.q[2 * i] = static_cast<Real>(i % 2);
    in.q[2 * i + 1] = 0;
    in.k[2 * i] = 100;
    in.k[2 * i + 1] = static_cast<Real>(i * 2 % 5 - 2);
  }
  const auto expected = expected_output(in, s);
  for (const long double value : expected) REQUIRE(std::isfinite(value));  // exp(-10,000) is a long double
  check_equal(run(in, s), expected);
}

TEST_CASE("dot scores of any size give finite weights", "[attention]") {
  AttentionSettings s = settings(1, 3, 3, 1, 1);
  s.scale = 1000;
  const AttentionInputs in = {Tensor({3, 1}, {10, -10, 10}), Tensor({3, 1}, {1, 2, 3}), Tensor({3, 1}, {1, 10, 100})};
  const Tensor out = run(in, s);
  CHECK(out[0] == 1);
  CHECK(out[1] == 1);    // the negative query picks the smaller key
  CHECK(out[2] == 100);  // the positive one the largest
}

TEST_CASE("causal attention reads no later key or value: not a bit of the output changes", "[attention]") {
  for (const Kind& kind : kinds) {
    const AttentionSettings s = with(settings(2, 6, 6, 2, 3), kind);
    const AttentionInputs in = draw(s);
    const Tensor before = run(in, s);
    for (Index changed = 0; changed < 6; ++changed) {
      AttentionInputs other = {in.q.clone(), in.k.clone(), in.v.clone()};
      for (Index d = 0; d < 6; ++d) {
        for (Index b = 0; b < 2; ++b) {
          for (Tensor* x : {&other.q, &other.k, &other.v}) (*x)[(b * 6 + changed) * 6 + d] += 1;
        }
      }
      const Tensor after = run(other, s);
      for (Index row = 0; row < 12; ++row) {
        CAPTURE(kind.name, changed, row);
        bool same = true;
        for (Index d = 0; d < 6; ++d) same = same && before[row * 6 + d] == after[row * 6 + d];
        CHECK(same == (row % 6 < changed));
      }
    }
  }
}

TEST_CASE("transposed attention reads values of its own and later positions only, of all of these", "[attention]") {
  for (const Kind& kind : kinds) {
    const AttentionSettings s = with(settings(1, 5, 5, 1, 2), kind, Aggregation::transposed);
    const AttentionInputs in = draw(s);
    const Tensor before = run(in, s);
    for (Index changed = 0; changed < 5; ++changed) {
      AttentionInputs other = {in.q, in.k, in.v.clone()};
      for (Index d = 0; d < 2; ++d) other.v[changed * 2 + d] += 1;
      const Tensor after = run(other, s);
      for (Index row = 0; row < 5; ++row) {
        CAPTURE(kind.name, changed, row);
        CHECK((before[row * 2] == after[row * 2]) == (row > changed));
      }
    }
  }
}

TEST_CASE("q, k and v may be columns of one matrix", "[attention]") {
  for (const Kind& kind : kinds) {
    const AttentionSettings s = with(settings(2, 4, 4, 2, 3), kind);
    const AttentionInputs in = draw(s);
    const std::vector<Variable> parts = {Variable(Tensor::full({8, 2}, 1e6)), Variable(in.v), Variable(in.q),
                                         Variable(Tensor::full({8, 1}, 1e6)), Variable(in.k)};
    const Variable joined = concat(parts, 1);
    DropoutStream stream;
    for (const AttentionForm form : forms) {
      check_equal(attention({joined, 8}, {joined, 15}, {joined, 2}, s, stream, form).value(), expected_output(in, s));
    }
    CHECK(attention_weights({joined, 8}, {joined, 15}, s).shape() == Shape{2, 2, 4, 4});
  }
}

TEST_CASE("dropout removes weights at its rate and scales the others up", "[attention]") {
  // Values are the rows of the unit matrix, so that the output is the weights after dropout.
  constexpr Index length = 64;
  for (const Aggregation aggregation : {Aggregation::causal, Aggregation::transposed}) {
    AttentionSettings s = with(settings(1, length, length, 1, length), kinds[0], aggregation);
    s.scale = Real(0.01);
    AttentionInputs in = draw(s);
    in.v.fill(0);
    for (Index i = 0; i < length; ++i) in.v[i * length + i] = 1;
    const Tensor whole = run(in, s);
    s.dropped = Real(0.25);
    DropoutStream stream{1, 2, 3};
    const Tensor out = attention({Variable(in.q)}, {Variable(in.k)}, {Variable(in.v)}, s, stream).value();
    CHECK(stream.next_mask == 1);
    double dropped = 0, visible = 0;
    for (Index i = 0; i < out.size(); ++i) {
      if (whole[i] == 0) {
        CHECK(out[i] == 0);
        continue;
      }
      ++visible;
      if (out[i] == 0) {
        ++dropped;
      } else {
        CHECK(static_cast<double>(out[i] / whole[i]) == Approx(1 / 0.75));
      }
    }
    CHECK(visible == length * (length + 1) / 2);
    CHECK(dropped / visible == Approx(0.25).margin(0.048));  // 5 standard deviations
    const Tensor again = run(in, s, {1, 2, 3}), other = run(in, s, {1, 2, 4});
    CHECK(std::equal(out.values().begin(), out.values().end(), again.values().begin()));
    CHECK_FALSE(std::equal(out.values().begin(), out.values().end(), other.values().begin()));
  }
}

TEST_CASE("without dropout the random stream is not read", "[attention]") {
  const AttentionSettings s = settings(1, 3, 3, 1, 2);
  const AttentionInputs in = draw(s);
  DropoutStream stream;
  attention({Variable(in.q)}, {Variable(in.k)}, {Variable(in.v)}, s, stream);
  CHECK(stream.next_mask == 0);
}

TEST_CASE("attention refuses sizes that disagree, naming them", "[attention]") {
  const AttentionSettings s = settings(2, 3, 3, 2, 4);
  const HeadColumns good = {Variable(Tensor::zeros({6, 8}))};
  DropoutStream stream;
  const auto with_q = [&](const HeadColumns& q) { return attention(q, good, good, s, stream); };
  CHECK_THROWS_WITH(with_q({Variable(Tensor({5, 8}))}), Contains("q [5, 8]") && Contains("6 rows"));
  CHECK_THROWS_WITH(with_q({Variable(Tensor({6, 7}))}), Contains("q [6, 7]") && Contains("2 heads of 4 columns"));
  CHECK_THROWS_WITH(with_q({good.matrix, 1}), Contains("q [6, 8] from column 1"));
  CHECK_THROWS_WITH(with_q({good.matrix, -1}), Contains("q [6, 8] from column -1"));
  CHECK_THROWS_WITH(with_q({Variable(Tensor({2, 3, 8}))}), Contains("q [2, 3, 8]"));
  CHECK_THROWS_WITH(attention(good, {Variable(Tensor({6, 4}))}, good, s, stream), Contains("k [6, 4]"));
  CHECK_THROWS_WITH(attention(good, good, {Variable()}, s, stream), Contains("[attention]") && Contains("empty"));
  CHECK_THROWS_WITH(attention(good, good, {Variable(Tensor({7, 8}))}, s, stream), Contains("v [7, 8]"));
  CHECK_THROWS_WITH(attention_weights({Variable(Tensor({6, 4}))}, good, s), Contains("q [6, 4]"));
  CHECK_THROWS_WITH(attention_weights(good, {Variable(Tensor({6, 4}))}, s), Contains("k [6, 4]"));
}

TEST_CASE("attention refuses settings that mean nothing", "[attention]") {
  const HeadColumns x = {Variable(Tensor::zeros({3, 1}))}, shorter = {Variable(Tensor::zeros({2, 1}))};
  DropoutStream stream;
  CHECK_THROWS_WITH(attention(x, shorter, shorter, settings(1, 3, 2, 1, 1), stream), Contains("2 keys for 3 queries"));
  CHECK_THROWS_WITH(attention(shorter, x, x, with(settings(1, 2, 3, 1, 1), kinds[0], Aggregation::transposed), stream),
                    Contains("transposed") && Contains("all 3 positions") && Contains("the last 2"));
  AttentionSettings s = settings(1, 3, 3, 1, 1);
  s.normalizer = Normalizer::softmax;
  CHECK_THROWS_WITH(attention(x, x, x, s, stream), Contains("softmax normalizer") && Contains("gaussian"));
}

}  // namespace attention_test
