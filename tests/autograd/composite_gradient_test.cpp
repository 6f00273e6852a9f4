// Gradients where a variable is used more than once: contributions must add up, and adding to one
// gradient must not change another that shares its storage.
#include "tests/autograd/gradient_cases.hpp"

namespace composite_gradient_test {

using namespace qisa;
using namespace qisa::test;

Variable join(std::initializer_list<Variable> parts) {
  std::vector<Variable> flat;
  for (const Variable& part : parts) flat.push_back(reshape(part, {-1}));
  return concat(flat, 0);
}

const std::vector<std::int32_t> rows = {1, 0, 1};

TEST_CASE("gradients of a variable that is used twice add up", "[gradient]") {
  const std::vector<GradientCase> cases = {
      {"x + x", {{2, 3}}, {2, 3}, [](Inputs x) { return x[0] + x[0]; }},
      {"x - x", {{3}}, {3}, [](Inputs x) { return x[0] - x[0]; }},
      {"x x", {{2, 3}}, {2, 3}, [](Inputs x) { return x[0] * x[0]; }},
      {"x / x", {{3}}, {3}, [](Inputs x) { return x[0] / x[0]; }},
      {"x + x + x", {{3}}, {3}, [](Inputs x) { return x[0] + x[0] + x[0]; }},
      {"x x^T", {{2, 3}}, {2, 2}, [](Inputs x) { return matmul(x[0], transpose(x[0], 0, 1)); }},
      {"x x", {{3, 3}}, {3, 3}, [](Inputs x) { return matmul(x[0], x[0]); }},
      {"x W^T with W = x", {{3, 3}}, {3, 3}, [](Inputs x) { return linear(x[0], x[0]); }},
      {"x + sum x", {{2, 3}}, {2, 3}, [](Inputs x) { return x[0] + sum(x[0]); }},
      {"x softmax(x)", {{2, 3}}, {2, 3}, [](Inputs x) { return x[0] * softmax(x[0]); }},
      {"residual", {{2, 3}, {3, 3}}, {2, 3}, [](Inputs x) { return x[0] + tanh(linear(x[0], x[1])); }},
      {"two residuals",
       {{2, 3}, {3, 3}},
       {2, 3},
       [](Inputs x) {
         const Variable y = x[0] + tanh(linear(x[0], x[1]));
         return y + sin(linear(y, x[1]));
       }},
      {"diamond",
       {{4}},
       {4},
       [](Inputs x) {
         const Variable a = exp(x[0]), b = sin(a), c = cos(a);
         return b * c + a;
       }},
      {"reshape beside x",
       {{2, 3}},
       {12},
       [](Inputs x) {
         return join({reshape(x[0], {3, 2}), x[0] * x[0]});
       }},
      {"reshape used twice",
       {{2, 3}},
       {6},
       [](Inputs x) {
         const Variable flat = reshape(x[0], {6});
         return flat * sin(flat);
       }},
      {"two reshapes",
       {{2, 3}},
       {3, 3},
       [](Inputs x) {
         return matmul(reshape(x[0], {3, 2}), reshape(x[0], {2, 3}));
       }},
      {"sum of two reshapes", {{2, 3}}, {6}, [](Inputs x) { return reshape(x[0], {6}) + reshape(x[0], {6}); }},
      {"slices of x",
       {{4, 3}},
       {5, 3},
       [](Inputs x) {
         const std::vector<Variable> parts = {narrow(x[0], 0, 1, 3), narrow(x[0], 0, 0, 2)};
         return concat(parts, 0);
       }},
      {"concat of x with itself",
       {{2, 3}},
       {2, 9},
       [](Inputs x) {
         const std::vector<Variable> parts = {x[0], x[0], x[0]};
         return concat(parts, 1);
       }},
      {"tied embedding", {{4, 3}}, {3, 4}, [](Inputs x) { return linear(gather(x[0], rows), x[0]); }},
      {"layer norm by itself", {{4}}, {4}, [](Inputs x) { return layer_norm(x[0], x[0], x[0]); }},
      {"layer norm twice",
       {{2, 4}, {4}, {4}},
       {2, 4},
       [](Inputs x) { return layer_norm(layer_norm(x[0], x[1], x[2]), x[1], x[2]); }},
      {"loss of a residual",
       {{3, 4}, {4, 4}, {4}},
       {},
       [](Inputs x) { return cross_entropy(x[0] + gelu(linear(x[0], x[1], x[2])), rows); }},
  };
  for (const GradientCase& c : cases) check_case(c);
}

TEST_CASE("adding to a gradient does not change another that shares its storage", "[gradient]") {
  // The sum is made last, so its backward runs first and hands one tensor to x and to y. Then the
  // other operation adds to the gradient of x.
  struct Case {
    std::string name;
    Shape shape;
    Index outputs;
    std::function<Variable(const Variable&)> operation;
  };
  const auto constant = [](const Shape& shape) { return Variable(Tensor::full(shape, Real(0.5))); };
  const std::vector<Case> cases = {
      {"multiply", {3}, 3, [](const Variable& x) { return x * x; }},
      {"reshape", {2, 3}, 6, [](const Variable& x) { return reshape(x, {6}); }},
      {"narrow", {3}, 2, [](const Variable& x) { return narrow(x, 0, 1, 2); }},
      {"gather", {3, 2}, 6, [](const Variable& x) { return gather(x, rows); }},
      {"weight of linear", {2, 3}, 2, [=](const Variable& x) { return linear(constant({3}), x); }},
      {"bias of linear",
       {2},
       2,
       [=](const Variable& x) {
         return linear(constant({3}), constant({2, 3}), x);
       }},
      {"weight of layer_norm",
       {3},
       3,
       [=](const Variable& x) {
         return layer_norm(Variable(Tensor({3}, {1, 2, 4})), x, constant({3}));
       }},
      {"bias of layer_norm", {3}, 3, [=](const Variable& x) { return layer_norm(constant({3}), constant({3}), x); }},
  };
  for (const Case& c : cases) {
    const Index size = c.shape.size();
    check_case({"shared with " + c.name, {c.shape, c.shape}, {c.outputs + size}, [&](Inputs x) {
                  const Variable other = c.operation(x[0]);
                  return join({x[0] + x[1], other});
                }});
  }
}

}  // namespace composite_gradient_test
