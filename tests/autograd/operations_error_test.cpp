// What the operations refuse: each message is one line that names the operation and the numbers that
// disagree.
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autograd/operations.hpp"
#include "tests/catch.hpp"

namespace operations_error_test {

using namespace qisa;

Variable zeros(std::initializer_list<Index> shape) { return Variable(Tensor::zeros(shape)); }

struct Refusal {
  std::string name;
  std::function<Variable()> call;
  std::vector<std::string> parts;  // of the message
};

Variable dropout_at(Real rate) {
  DropoutStream stream;
  return dropout(zeros({2}), rate, stream);
}

const std::vector<std::int32_t> targets = {0, 3};

const std::vector<Refusal> refusals = {
    {"add",
     [] {
       return add(zeros({2, 3}), zeros({4}));
     },
     {"[add]", "[2, 3]", "[4]", "3 and 4"}},
    {"subtract", [] { return subtract(zeros({2}), zeros({3})); }, {"[subtract]", "[2]", "[3]"}},
    {"multiply", [] { return multiply(zeros({2}), zeros({3})); }, {"[multiply]", "[2]", "[3]"}},
    {"divide", [] { return divide(zeros({2}), zeros({3})); }, {"[divide]", "[2]", "[3]"}},
    {"sum over no axis",
     [] {
       return sum(zeros({2, 3}), 2);
     },
     {"[2, 3]", "no axis 2"}},
    {"sum of a scalar over an axis", [] { return sum(zeros({}), 0); }, {"[]", "no axis 0"}},
    {"mean of nothing",
     [] {
       return mean(zeros({0, 3}));
     },
     {"[mean]", "[0, 3]"}},
    {"mean over an empty axis",
     [] {
       return mean(zeros({2, 0}), 1);
     },
     {"[mean]", "axis 1", "[2, 0]"}},
    {"matmul inner sizes",
     [] {
       return matmul(zeros({2, 3}), zeros({4, 5}));
     },
     {"[matmul]", "[2, 3]", "[4, 5]", "3 and 4"}},
    {"matmul of a vector",
     [] {
       return matmul(zeros({3}), zeros({3, 2}));
     },
     {"[matmul]", "[3]", "[3, 2]", "two axes"}},
    {"matmul batches",
     [] {
       return matmul(zeros({2, 1, 1}), zeros({3, 1, 1}));
     },
     {"[matmul]", "[2, 1, 1]", "[3, 1, 1]", "2 and 3"}},
    {"linear sizes",
     [] {
       return linear(zeros({2, 3}), zeros({5, 4}));
     },
     {"[linear]", "[2, 3]", "[5, 4]"}},
    {"linear of a scalar",
     [] {
       return linear(zeros({}), zeros({1, 1}));
     },
     {"[linear]", "[]", "[1, 1]"}},
    {"linear weight axes", [] { return linear(zeros({3}), zeros({3})); }, {"[linear]", "[3]"}},
    {"activated_linear without bias",
     [] {
       return activated_linear(zeros({3}), zeros({5, 3}), {}, Activation::relu);
     },
     {"[activated_linear]", "[5, 3]", "bias"}},
    {"add_dropout shapes",
     [] {
       DropoutStream stream;
       return add_dropout(zeros({3}), zeros({1, 3}), Real(0.5), stream);
     },
     {"[add_dropout]", "[3]", "[1, 3]"}},
    {"linear bias",
     [] {
       return linear(zeros({3}), zeros({5, 3}), zeros({3}));
     },
     {"[linear]", "[5, 3]", "[5]", "[3]"}},
    {"reshape",
     [] {
       return reshape(zeros({2, 3}), {4});
     },
     {"[2, 3]", "[4]", "6", "4"}},
    {"transpose",
     [] {
       return transpose(zeros({2, 3}), 0, -3);
     },
     {"[2, 3]", "no axis -3"}},
    {"slice beyond the end",
     [] {
       return narrow(zeros({2, 3}), 1, 2, 2);
     },
     {"[narrow]", "2 indices from 2 on", "axis 1", "[2, 3]"}},
    {"slice of more numbers than there are",
     [] {
       return narrow(zeros({2, 3}), 1, 2, std::numeric_limits<Index>::max());
     },
     {"[narrow]", "9223372036854775807 indices from 2 on", "[2, 3]"}},
    {"slice before the start",
     [] {
       return narrow(zeros({2, 3}), 0, -1, 1);
     },
     {"[narrow]", "1 indices from -1 on", "[2, 3]"}},
    {"slice of negative count",
     [] {
       return narrow(zeros({2, 3}), 0, 1, -1);
     },
     {"[narrow]", "-1 indices from 1 on", "[2, 3]"}},
    {"slice of no axis",
     [] {
       return narrow(zeros({2, 3}), 2, 0, 1);
     },
     {"[2, 3]", "no axis 2"}},
    {"concat of nothing", [] { return concat({}, 0); }, {"[concat]", "nothing"}},
    {"concat sizes",
     [] {
       return concat(std::vector{zeros({2, 3}), zeros({2, 4})}, 0);
     },
     {"[concat]", "[2, 3]", "[2, 4]", "axis 0"}},
    {"concat ranks",
     [] {
       return concat(std::vector{zeros({2, 3}), zeros({2})}, 0);
     },
     {"[concat]", "[2, 3]", "[2]"}},
    {"concat axis",
     [] {
       return concat(std::vector{zeros({2, 3})}, 2);
     },
     {"[2, 3]", "no axis 2"}},
    {"gather from a vector", [] { return gather(zeros({3}), targets); }, {"[gather]", "[3]"}},
    {"gather out of range",
     [] {
       return gather(zeros({3, 2}), targets);
     },
     {"[gather]", "index 3", "position 1", "3 rows"}},
    {"gather negative",
     [] {
       return gather(zeros({3, 2}), std::vector<std::int32_t>{-1});
     },
     {"[gather]", "index -1", "position 0"}},
    {"softmax of a scalar", [] { return softmax(zeros({})); }, {"[softmax]", "axis"}},
    {"cross_entropy rows",
     [] {
       return cross_entropy(zeros({3, 5}), targets);
     },
     {"[cross_entropy]", "[3, 5]", "2"}},
    {"cross_entropy of nothing",
     [] {
       return cross_entropy(zeros({0, 5}), {});
     },
     {"[cross_entropy]", "[0, 5]", "at least one"}},
    {"cross_entropy axes", [] { return cross_entropy(zeros({2}), targets); }, {"[cross_entropy]", "[2]"}},
    {"cross_entropy target",
     [] {
       return cross_entropy(zeros({2, 3}), targets);
     },
     {"[cross_entropy]", "target 3", "row 1", "3 classes"}},
    {"cross_entropy negative target",
     [] {
       return cross_entropy(zeros({1, 3}), std::vector<std::int32_t>{-1});
     },
     {"target -1", "row 0"}},
    {"layer_norm weight",
     [] {
       return layer_norm(zeros({2, 3}), zeros({4}), zeros({3}));
     },
     {"[layer_norm]", "[2, 3]", "[3]", "[4]"}},
    {"layer_norm bias",
     [] {
       return layer_norm(zeros({2, 3}), zeros({3}), zeros({3, 1}));
     },
     {"[layer_norm]", "[3, 1]"}},
    {"layer_norm of width 0",
     [] {
       return layer_norm(zeros({2, 0}), zeros({0}), zeros({0}));
     },
     {"[layer_norm]", "[2, 0]"}},
    {"layer_norm of a scalar", [] { return layer_norm(zeros({}), zeros({1}), zeros({1})); }, {"[layer_norm]", "[]"}},
    {"dropout of everything", [] { return dropout_at(1); }, {"[dropout]", "less than 1", "not 1"}},
    {"dropout below 0", [] { return dropout_at(Real(-0.5)); }, {"[dropout]", "-0.5"}},
};

TEST_CASE("operations refuse what does not fit, in one line that names it", "[operations]") {
  for (const Refusal& refusal : refusals) {
    CAPTURE(refusal.name);
    std::string message;
    try {
      refusal.call();
    } catch (const Error& error) {
      message = error.what();
    }
    CHECK_FALSE(message.empty());
    CHECK(message.find('\n') == std::string::npos);
    for (const std::string& part : refusal.parts) CHECK_THAT(message, Catch::Matchers::Contains(part));
  }
}

TEST_CASE("every operation refuses an empty Variable, by the operation's name", "[operations]") {
  const Variable none, x = Variable::leaf(Tensor::full({2, 2}, 1)), row = Variable::leaf(Tensor::full({2}, 1));
  DropoutStream stream;
  const std::vector<std::pair<std::string, std::function<Variable()>>> calls = {
      {"add", [&] { return add(x, none); }},
      {"add", [&] { return none + none; }},
      {"subtract", [&] { return none - x; }},
      {"multiply", [&] { return x * none; }},
      {"divide", [&] { return none / x; }},
      {"scale", [&] { return -none; }},
      {"exp", [&] { return exp(none); }},
      {"log", [&] { return log(none); }},
      {"sqrt", [&] { return sqrt(none); }},
      {"sin", [&] { return sin(none); }},
      {"cos", [&] { return cos(none); }},
      {"tanh", [&] { return tanh(none); }},
      {"relu", [&] { return relu(none); }},
      {"gelu", [&] { return gelu(none); }},
      {"sum", [&] { return sum(none); }},
      {"sum", [&] { return sum(none, 0); }},
      {"mean", [&] { return mean(none); }},
      {"mean", [&] { return mean(none, 0); }},
      {"matmul", [&] { return matmul(none, x); }},
      {"matmul", [&] { return matmul(x, none); }},
      {"linear", [&] { return linear(none, x); }},
      {"linear", [&] { return linear(x, none, row); }},
      {"activated_linear", [&] { return activated_linear(none, x, row, Activation::gelu); }},
      {"activated_linear", [&] { return activated_linear(x, none, row, Activation::relu); }},
      {"reshape", [&] { return reshape(none, {1}); }},
      {"transpose", [&] { return transpose(none, 0, 0); }},
      {"narrow", [&] { return narrow(none, 0, 0, 1); }},
      {"concat",
       [&] {
         return concat(std::vector{x, none}, 0);
       }},
      {"concat", [&] { return concat(std::vector{none}, 0); }},
      {"gather", [&] { return gather(none, targets); }},
      {"softmax", [&] { return softmax(none); }},
      {"cross_entropy", [&] { return cross_entropy(none, targets); }},
      {"layer_norm", [&] { return layer_norm(none, row, row); }},
      {"layer_norm", [&] { return layer_norm(x, none, row); }},
      {"layer_norm", [&] { return layer_norm(x, row, none); }},
      {"dropout", [&] { return dropout(none, Real(0.5), stream); }},
      {"dropout", [&] { return dropout(none, 0, stream); }},
      {"add_dropout", [&] { return add_dropout(none, x, 0, stream); }},
      {"add_dropout", [&] { return add_dropout(x, none, Real(0.5), stream); }},
  };
  for (const auto& [name, call] : calls) {
    CHECK_THROWS_WITH(call(),
                      Catch::Matchers::StartsWith("[" + name + "]") && Catch::Matchers::Contains("empty Variable"));
  }
  CHECK_THROWS_WITH(Variable::leaf(Tensor()), Catch::Matchers::Contains("empty"));
  CHECK(linear(x, x).shape() == Shape{2, 2});  // the bias may be left out
}

}  // namespace operations_error_test
