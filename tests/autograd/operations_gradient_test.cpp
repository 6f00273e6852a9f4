// Gradients of every function of operations.hpp, one table of cases for each of its groups. The last
// test reads the header and fails if one of its functions has no case.
#include <fstream>
#include <set>

#include "tests/autograd/gradient_cases.hpp"

namespace operations_gradient_test {

using namespace qisa;
using namespace qisa::test;
using Cases = std::vector<GradientCase>;

Cases elementwise_cases() {
  struct Broadcast {
    Shape a, b, result;
  };
  const std::vector<Broadcast> broadcasts = {
      {{}, {}, {}},
      {{1}, {1}, {1}},
      {{3}, {3}, {3}},
      {{1}, {3}, {3}},
      {{}, {2, 3}, {2, 3}},
      {{2, 3}, {}, {2, 3}},
      {{3, 1}, {1, 4}, {3, 4}},
      {{4}, {2, 3, 4}, {2, 3, 4}},
      {{2, 3, 4}, {3, 1}, {2, 3, 4}},
      {{2, 1, 4}, {3, 1}, {2, 3, 4}},
      {{0, 3}, {3}, {0, 3}},
      {{1}, {0}, {0}},
  };
  Cases cases;
  for (const auto& [a, b, result] : broadcasts) {
    cases.push_back({"add", {a, b}, result, [](Inputs x) { return add(x[0], x[1]); }});
    cases.push_back({"subtract", {a, b}, result, [](Inputs x) { return subtract(x[0], x[1]); }});
    cases.push_back({"multiply", {a, b}, result, [](Inputs x) { return multiply(x[0], x[1]); }});
    cases.push_back({"divide", {a, b}, result, [](Inputs x) { return divide(x[0], x[1]); }});
  }
  for (const Shape& s : {Shape{}, Shape{1}, Shape{9}, Shape{2, 3}, Shape{2, 1, 3}, Shape{0}, Shape{2, 0}}) {
    cases.push_back({"scale", {s}, s, [](Inputs x) { return -x[0]; }});
    cases.push_back({"scale", {s}, s, [](Inputs x) { return scale(x[0], Real(-2.5)); }});
    cases.push_back({"scale", {s}, s, [](Inputs x) { return scale(x[0], 0); }});
    cases.push_back({"exp", {s}, s, [](Inputs x) { return exp(x[0]); }});
    cases.push_back({"log", {s}, s, [](Inputs x) { return log(x[0]); }, Draw::positive});
    cases.push_back({"sqrt", {s}, s, [](Inputs x) { return sqrt(x[0]); }, Draw::positive});
    cases.push_back({"sin", {s}, s, [](Inputs x) { return sin(x[0]); }});
    cases.push_back({"cos", {s}, s, [](Inputs x) { return cos(x[0]); }});
    cases.push_back({"tanh", {s}, s, [](Inputs x) { return tanh(x[0]); }});
    cases.push_back({"relu", {s}, s, [](Inputs x) { return relu(x[0]); }});
    cases.push_back({"gelu", {s}, s, [](Inputs x) { return gelu(x[0]); }});
  }
  return cases;
}

Cases reduction_cases() {
  struct Axis {
    Shape shape;
    int axis;
    Shape result;
  };
  Cases cases;
  for (const auto& [shape, axis, result] : std::vector<Axis>{{{1}, 0, {}},
                                                             {{5}, 0, {}},
                                                             {{5}, -1, {}},
                                                             {{2, 3, 4}, 0, {3, 4}},
                                                             {{2, 3, 4}, 1, {2, 4}},
                                                             {{2, 3, 4}, 2, {2, 3}},
                                                             {{2, 3, 4}, -3, {3, 4}},
                                                             {{3, 1}, 1, {3}},
                                                             {{3, 0}, 0, {0}}}) {
    cases.push_back({"sum", {shape}, result, [axis = axis](Inputs x) { return sum(x[0], axis); }});
    cases.push_back({"mean", {shape}, result, [axis = axis](Inputs x) { return mean(x[0], axis); }});
  }
  cases.push_back({"sum", {{3, 0}}, {3}, [](Inputs x) { return sum(x[0], 1); }});
  cases.push_back({"sum", {{0}}, {}, [](Inputs x) { return sum(x[0]); }});
  for (const Shape& s : {Shape{}, Shape{1}, Shape{7}, Shape{2, 3}, Shape{2, 3, 4}}) {
    cases.push_back({"sum", {s}, {}, [](Inputs x) { return sum(x[0]); }});
    cases.push_back({"mean", {s}, {}, [](Inputs x) { return mean(x[0]); }});
  }
  return cases;
}

Cases product_cases() {
  Cases cases;
  const auto product = [](Inputs x) { return matmul(x[0], x[1]); };
  cases.push_back({"matmul", {{2, 3}, {3, 4}}, {2, 4}, product});
  cases.push_back({"matmul", {{1, 1}, {1, 1}}, {1, 1}, product});
  cases.push_back({"matmul", {{1, 5}, {5, 1}}, {1, 1}, product});
  cases.push_back({"matmul", {{5, 1}, {1, 5}}, {5, 5}, product});
  cases.push_back({"matmul", {{2, 3, 4}, {2, 4, 2}}, {2, 3, 2}, product});
  cases.push_back({"matmul", {{3, 4}, {2, 4, 2}}, {2, 3, 2}, product});
  cases.push_back({"matmul", {{2, 3, 4}, {4, 2}}, {2, 3, 2}, product});
  cases.push_back({"matmul", {{1, 3, 4}, {2, 4, 2}}, {2, 3, 2}, product});
  cases.push_back({"matmul", {{2, 1, 2, 3}, {4, 3, 2}}, {2, 4, 2, 2}, product});
  cases.push_back({"matmul", {{2, 1, 2, 3}, {1, 3, 3, 2}}, {2, 3, 2, 2}, product});
  cases.push_back({"matmul", {{0, 2, 3}, {3, 2}}, {0, 2, 2}, product});
  cases.push_back({"matmul", {{0, 3}, {3, 2}}, {0, 2}, product});
  cases.push_back({"matmul", {{2, 0}, {0, 3}}, {2, 3}, product});
  cases.push_back(
      {"linear", {{9, 16}, {32, 16}}, {9, 32}, [](Inputs in) { return linear(in[0], in[1]); }});  // a narrow product
  struct Linear {
    Shape x, weight, result;
  };
  for (const auto& [x, weight, result] : std::vector<Linear>{{{3}, {4, 3}, {4}},
                                                             {{1}, {1, 1}, {1}},
                                                             {{2, 3}, {4, 3}, {2, 4}},
                                                             {{1, 3}, {1, 3}, {1, 1}},
                                                             {{2, 2, 3}, {4, 3}, {2, 2, 4}},
                                                             {{9, 16}, {16, 16}, {9, 16}},
                                                             {{3, 32}, {16, 32}, {3, 16}},
                                                             {{0, 3}, {4, 3}, {0, 4}},
                                                             {{2, 3}, {0, 3}, {2, 0}}}) {
    const Shape bias = {weight[0]};
    cases.push_back({"linear", {x, weight}, result, [](Inputs in) { return linear(in[0], in[1]); }});
    cases.push_back({"linear", {x, weight, bias}, result, [](Inputs in) { return linear(in[0], in[1], in[2]); }});
    for (const Activation f : {Activation::relu, Activation::gelu}) {
      cases.push_back({"activated_linear", {x, weight, bias}, result, [f](Inputs in) {
                         return activated_linear(in[0], in[1], in[2], f);
                       }});
    }
  }
  return cases;
}

Cases moving_cases() {
  Cases cases = {
      {"reshape",
       {{2, 3}},
       {3, 2},
       [](Inputs x) {
         return reshape(x[0], {3, 2});
       }},
      {"reshape", {{2, 3}}, {6}, [](Inputs x) { return reshape(x[0], {-1}); }},
      {"reshape",
       {{2, 3}},
       {2, 3},
       [](Inputs x) {
         return reshape(x[0], {2, 3});
       }},
      {"reshape",
       {{}},
       {1, 1},
       [](Inputs x) {
         return reshape(x[0], {1, 1});
       }},
      {"reshape", {{1}}, {}, [](Inputs x) { return reshape(x[0], {}); }},
      {"reshape",
       {{0, 3}},
       {3, 0},
       [](Inputs x) {
         return reshape(x[0], {3, 0});
       }},
      {"transpose", {{2, 3}}, {3, 2}, [](Inputs x) { return transpose(x[0], 0, 1); }},
      {"transpose", {{1, 1}}, {1, 1}, [](Inputs x) { return transpose(x[0], 0, 1); }},
      {"transpose", {{2, 3, 4}}, {4, 3, 2}, [](Inputs x) { return transpose(x[0], 0, 2); }},
      {"transpose", {{2, 3, 4}}, {2, 4, 3}, [](Inputs x) { return transpose(x[0], -1, -2); }},
      {"transpose", {{2, 3, 4}}, {2, 3, 4}, [](Inputs x) { return transpose(x[0], 1, 1); }},
      {"transpose", {{2, 3, 1, 2}}, {2, 2, 1, 3}, [](Inputs x) { return transpose(x[0], 1, 3); }},
  };
  struct Window {
    Shape shape;
    int axis;
    Index first, count;
    Shape result;
  };
  for (const auto& w : std::vector<Window>{{{4, 3}, 0, 0, 2, {2, 3}},
                                           {{4, 3}, 0, 2, 2, {2, 3}},
                                           {{4, 3}, 0, 0, 4, {4, 3}},
                                           {{4, 3}, 0, 0, 0, {0, 3}},
                                           {{4, 3}, 0, 4, 0, {0, 3}},
                                           {{4, 3}, 1, 1, 1, {4, 1}},
                                           {{2, 4, 3}, 1, 1, 2, {2, 2, 3}},
                                           {{2, 4, 3}, -1, 0, 2, {2, 4, 2}},
                                           {{1}, 0, 0, 1, {1}},
                                           {{0, 3}, 1, 1, 2, {0, 2}}}) {
    cases.push_back({"narrow", {w.shape}, w.result, [w](Inputs x) { return narrow(x[0], w.axis, w.first, w.count); }});
  }
  struct Joint {
    std::vector<Shape> parts;
    int axis;
    Shape result;
  };
  for (const auto& j : std::vector<Joint>{{{{3}}, 0, {3}},
                                          {{{2, 3}}, 1, {2, 3}},
                                          {{{1}, {2}, {3}}, 0, {6}},
                                          {{{1, 3, 2}, {2, 3, 2}, {1, 3, 2}}, 0, {4, 3, 2}},
                                          {{{2, 1, 2}, {2, 3, 2}, {2, 2, 2}}, 1, {2, 6, 2}},
                                          {{{2, 3, 1}, {2, 3, 1}, {2, 3, 4}}, -1, {2, 3, 6}},
                                          {{{2, 0}, {2, 3}, {2, 0}}, 1, {2, 3}},
                                          {{{0, 2}, {0, 3}}, 1, {0, 5}}}) {
    cases.push_back({"concat", j.parts, j.result, [axis = j.axis](Inputs x) { return concat(x, axis); }});
  }
  for (const auto& indices : std::vector<std::vector<std::int32_t>>{{0}, {2, 0, 2, 2, 3}, {3, 2, 1, 0}, {}}) {
    const Shape result = {static_cast<Index>(indices.size()), 3};
    cases.push_back({"gather", {{4, 3}}, result, [indices](Inputs x) { return gather(x[0], indices); }});
  }
  const std::vector<std::int32_t> twice = {0, 0};
  cases.push_back({"gather", {{1, 1}}, {2, 1}, [twice](Inputs x) { return gather(x[0], twice); }});
  return cases;
}

Cases normalizing_cases() {
  Cases cases;
  for (const Shape& s : {Shape{1}, Shape{5}, Shape{2, 1}, Shape{2, 3}, Shape{2, 2, 9}, Shape{0, 3}, Shape{3, 0}}) {
    cases.push_back({"softmax", {s}, s, [](Inputs x) { return softmax(x[0]); }});
  }
  struct Targets {
    Shape logits;
    std::vector<std::int32_t> targets;
  };
  for (const auto& [shape, targets] :
       std::vector<Targets>{{{1, 4}, {2}}, {{3, 5}, {4, 0, 2}}, {{4, 1}, {0, 0, 0, 0}}, {{2, 3}, {1, 1}}}) {
    cases.push_back(
        {"cross_entropy", {shape}, {}, [targets = targets](Inputs x) { return cross_entropy(x[0], targets); }});
  }
  for (const Shape& s : {Shape{1}, Shape{3, 1}, Shape{3, 2}, Shape{4}, Shape{2, 3, 17}, Shape{0, 4}}) {
    const Shape width = {s[-1]};
    cases.push_back({"layer_norm", {s, width, width}, s, [](Inputs x) { return layer_norm(x[0], x[1], x[2]); }});
    cases.push_back({"layer_norm", {s, width, width}, s, [](Inputs x) { return layer_norm(x[0], x[1], x[2], 1); }});
  }
  for (const Shape& s : {Shape{}, Shape{4, 5}, Shape{200}, Shape{0, 3}}) {
    for (const double dropped : {0.0, 0.2, 0.7}) {
      cases.push_back({"dropout", {s}, s, [dropped](Inputs x) {
                         DropoutStream stream{1, 2, 3};  // made here, so that every call draws the same mask
                         return dropout(x[0], static_cast<Real>(dropped), stream);
                       }});
      cases.push_back({"add_dropout", {s, s}, s, [dropped](Inputs x) {
                         DropoutStream stream{1, 2, 3};
                         return add_dropout(x[0], x[1], static_cast<Real>(dropped), stream);
                       }});
    }
  }
  return cases;
}

TEST_CASE("gradients of elementwise operations equal finite differences", "[gradient]") {
  for (const GradientCase& c : elementwise_cases()) check_case(c);
}

TEST_CASE("gradients of sums and means equal finite differences", "[gradient]") {
  for (const GradientCase& c : reduction_cases()) check_case(c);
}

TEST_CASE("gradients of matrix products equal finite differences", "[gradient]") {
  for (const GradientCase& c : product_cases()) check_case(c);
}

TEST_CASE("gradients of operations that move elements equal finite differences", "[gradient]") {
  for (const GradientCase& c : moving_cases()) check_case(c);
}

TEST_CASE("gradients of softmax, cross-entropy, layer norm and dropout equal finite differences", "[gradient]") {
  for (const GradientCase& c : normalizing_cases()) check_case(c);
}

TEST_CASE("every function of operations.hpp has a gradient case", "[gradient]") {
  std::set<std::string> covered;
  for (const Cases& table :
       {elementwise_cases(), reduction_cases(), product_cases(), moving_cases(), normalizing_cases()}) {
    for (const GradientCase& c : table) covered.insert(c.operation);
  }
  std::set<std::string> declared;
  std::ifstream header(QISA_SOURCE_DIR "/autograd/operations.hpp");
  const std::string result_type = "Variable ";
  for (std::string line; std::getline(header, line);) {
    if (line.starts_with(result_type))
      declared.insert(line.substr(result_type.size(), line.find('(') - result_type.size()));
  }
  CHECK(declared.size() >= 26);  // so many there are now
  CHECK(covered == declared);
}

}  // namespace operations_gradient_test
