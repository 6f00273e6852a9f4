// Gradients of attention, in its plain form and its fast one, over all scores, normalizers and aggregations, sizes,
// dropout and ways to lay out q, k and v.
#include "autograd/attention.hpp"
#include "tests/autograd/gradient_cases.hpp"

namespace attention_gradient_test {

using namespace qisa;
using namespace qisa::test;

/// Every score with every normalizer that is defined for it, and both aggregations.
std::vector<AttentionSettings> kinds() {
  std::vector<AttentionSettings> result;
  for (const Aggregation aggregation : {Aggregation::causal, Aggregation::transposed}) {
    AttentionSettings s;
    s.aggregation = aggregation;
    s.scale = Real(0.7);
    result.push_back(s);
    s.score = Score::gaussian;
    result.push_back(s);
    s.normalizer = Normalizer::softmax;
    result.push_back(s);
  }
  return result;
}

std::string name(const AttentionSettings& s) {
  return fmt::format("attention ({}, {}, {}, dropout {}, B {} T {} S {} H {} D {})",
                     s.score == Score::dot ? "dot" : "gaussian", s.normalizer == Normalizer::sum ? "sum" : "softmax",
                     s.aggregation == Aggregation::causal ? "causal" : "transposed", s.dropped, s.batch, s.queries,
                     s.keys, s.heads, s.head_size);
}

/// q, k and v as matrices of their own.
void check_separate(const AttentionSettings& s, AttentionForm form = AttentionForm::fast) {
  const Index width = s.heads * s.head_size;
  const Shape queries = {s.batch * s.queries, width}, keys = {s.batch * s.keys, width};
  check_case({name(s), {queries, keys, keys}, queries, [s, form](Inputs x) {
                DropoutStream stream{1, 2, 3};
                return attention({x[0]}, {x[1]}, {x[2]}, s, stream, form);
              }});
}

/// q, k and v as columns of one matrix that has other columns too.
void check_windows(const AttentionSettings& s) {
  const Index width = s.heads * s.head_size, rows = s.batch * s.queries;
  check_case({name(s) + " of one matrix", {{rows, 3 * width + 3}}, {rows, width}, [s, width](Inputs x) {
                DropoutStream stream{1, 2, 3};
                return attention({x[0], 1}, {x[0], 2 + width}, {x[0], 2 + 2 * width}, s, stream);
              }});
}

TEST_CASE("gradients of attention equal finite differences for every kind and size", "[attention][gradient]") {
  for (AttentionSettings s : kinds()) {
    for (const Index batch : {1, 2}) {
      for (const Index heads : {1, 3}) {
        for (const Index length : {1, 5}) {
          for (const Index head_size : {1, 4}) {
            s.batch = batch;
            s.heads = heads;
            s.queries = s.keys = length;
            s.head_size = head_size;
            for (const double dropped : {0.0, 0.4}) {
              s.dropped = static_cast<Real>(dropped);
              for (const AttentionForm form : {AttentionForm::plain, AttentionForm::fast}) check_separate(s, form);
              check_windows(s);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("gradients of causal attention equal finite differences when there are more keys than queries",
          "[attention][gradient]") {
  for (AttentionSettings s : kinds()) {
    if (s.aggregation == Aggregation::transposed) continue;
    s.batch = 2;
    s.heads = 2;
    s.head_size = 3;
    s.keys = 6;
    for (const Index queries : {1, 4}) {
      s.queries = queries;
      for (const double dropped : {0.0, 0.4}) {
        s.dropped = static_cast<Real>(dropped);
        for (const AttentionForm form : {AttentionForm::plain, AttentionForm::fast}) check_separate(s, form);
      }
    }
  }
}

TEST_CASE("gradients of attention add up when q, k and v are the same columns", "[attention][gradient]") {
  for (AttentionSettings s : kinds()) {
    s.queries = s.keys = 4;
    s.head_size = 3;
    check_case({name(s) + " of itself", {{4, 3}}, {4, 3}, [s](Inputs x) {
                  DropoutStream stream;
                  return attention({x[0]}, {x[0]}, {x[0]}, s, stream);
                }});
  }
}

TEST_CASE("attention adds to a gradient without changing another that shares its storage", "[attention][gradient]") {
  for (AttentionSettings s : kinds()) {
    s.queries = s.keys = 4;
    s.head_size = 3;
    check_case({name(s) + " beside a sum", {{4, 3}, {4, 3}}, {8, 3}, [s](Inputs x) {
                  DropoutStream stream;
                  const Variable other = attention({x[0]}, {x[0]}, {x[0]}, s, stream);
                  const std::vector<Variable> parts = {x[0] + x[1], other};
                  return concat(parts, 0);
                }});
  }
}

TEST_CASE("gradients of attention without sequences are zeros", "[attention][gradient]") {
  for (AttentionSettings s : kinds()) {
    s.batch = 0;
    s.queries = s.keys = 3;
    check_separate(s);
  }
}

}  // namespace attention_gradient_test
