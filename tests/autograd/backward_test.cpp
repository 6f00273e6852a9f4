// The engine: what is recorded, what backward() computes, frees and refuses, and how it is drawn.
#include "autograd/backward.hpp"

#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

#include "autograd/attention.hpp"
#include "autograd/operations.hpp"
#include "tests/catch.hpp"

namespace backward_test {

using namespace qisa;
using Catch::Matchers::Contains;

std::vector<Real> list(const Tensor& x) { return {x.values().begin(), x.values().end()}; }
Variable leaf(std::initializer_list<Real> values) {
  return Variable::leaf(Tensor({static_cast<Index>(values.size())}, values));
}

TEST_CASE("backward finds the gradient of a number by hand", "[backward]") {
  const Variable x = leaf({2, 3}), y = leaf({5, 7});
  backward(sum(x * x * y));  // 2xy and x^2
  CHECK(list(x.gradient()) == std::vector<Real>{20, 42});
  CHECK(list(y.gradient()) == std::vector<Real>{4, 9});
}

TEST_CASE("a seed is the gradient of an output of any shape, and is left as it was", "[backward]") {
  const Variable x = leaf({2, 3});
  const Tensor seed({2}, {10, 100});
  backward(x + x * x, seed);
  CHECK(list(x.gradient()) == std::vector<Real>{50, 700});
  CHECK(list(seed) == std::vector<Real>{10, 100});
}

TEST_CASE("a leaf may itself be the output", "[backward]") {
  const Variable x = leaf({4});
  const Tensor seed({1}, {3});
  backward(x, seed);
  backward(x, seed);
  CHECK(x.gradient().item() == 6);
  CHECK(seed.item() == 3);
}

TEST_CASE("a leaf's gradient is not the caller's seed, which may change before and after", "[backward]") {
  const Variable x = leaf({4, 5}), y = reshape(x, {2});
  Tensor seed({2}, {3, 7});
  backward(y, seed);
  CHECK_FALSE(x.gradient().shares_storage_with(seed));
  seed.fill(100);
  CHECK(list(x.gradient()) == std::vector<Real>{3, 7});
}

/// The result of `work`, done on a thread of its own.
template <class Work>
auto elsewhere(Work work) {
  Variable result;
  std::thread([&] { result = work(); }).join();
  return result;
}

TEST_CASE("a graph may be begun on one thread and finished on another", "[backward]") {
  const Variable x = leaf({3});
  // However many operations each of them has recorded before.
  for (const int recorded_here : {0, 100}) {
    for (int i = 0; i < recorded_here; ++i) exp(x);
    const Variable begun = elsewhere([&] {
      Variable y = x;
      for (int i = 0; i < 10; ++i) y = scale(y, 2);
      return y;
    });
    const Tensor before = x.gradient().clone();
    backward(sum(begun * begun));  // (2^10 x)^2
    CHECK(x.gradient().item() - before.item() == 6 * Real(1 << 20));
    const Variable finished = elsewhere([&, y = x * x] { return sum(y * y * y); });  // x^6
    const Tensor between = x.gradient().clone();
    backward(finished);
    CHECK(x.gradient().item() - between.item() == 6 * 243);
  }
}

TEST_CASE("a loss may be made of parts from several threads", "[backward]") {
  const Variable x = leaf({2}), shared = scale(x, 4);
  Variable loss = shared;
  for (int i = 0; i < 3; ++i) loss = loss + elsewhere([&] { return scale(scale(shared, 1), 1); });
  backward(loss);
  CHECK(x.gradient().item() == 16);
}

TEST_CASE("gradients of several graphs add up in a leaf", "[backward]") {
  const Variable x = leaf({2});
  backward(x * x);
  const Tensor first = x.gradient();
  backward(scale(x, 10));
  CHECK(x.gradient().item() == 14);
  CHECK(first.item() == 4);  // what was read before is not written to
}

TEST_CASE("a leaf with memory of its own for the gradient is added to in place, over graphs", "[backward]") {
  Tensor memory = Tensor::full({6}, 100);
  const Real* storage = memory.data();
  const Variable x = Variable::leaf(Tensor({2}, {1, 2}), memory.part(2, {2}));
  for (int graph = 0; graph < 2; ++graph) backward(sum(x * x + reshape(x, {2})));
  CHECK(list(memory) == std::vector<Real>{100, 100, 106, 110, 100, 100});
  CHECK(x.gradient().data() == storage + 2);
}

TEST_CASE("a variable that nothing depends on has a gradient of zeros, a constant has none", "[backward]") {
  CHECK(list(leaf({1, 2}).gradient()) == std::vector<Real>{0, 0});
  const Variable x = leaf({1}), unused = leaf({1});
  backward(scale(x, 2));
  CHECK(unused.gradient().item() == 0);
  CHECK_THROWS_WITH(Variable(Tensor::scalar(1)).gradient(), Contains("constant"));
}

TEST_CASE("operations on constants record nothing", "[backward]") {
  const Variable a(Tensor::full({2, 2}, 1)), b = Variable::leaf(Tensor::full({2, 2}, 1));
  CHECK_FALSE(a.requires_gradient());
  CHECK_FALSE((a + a).requires_gradient());
  CHECK_FALSE(softmax(matmul(a, a)).requires_gradient());
  const Variable c = a * b;
  REQUIRE(c.requires_gradient());
  REQUIRE(c.node()->inputs.size() == 2);
  CHECK(c.node()->inputs[0].node == nullptr);
  CHECK(c.node()->inputs[1].node == b.node());
}

TEST_CASE("NoGradient stops recording, nests, and restores what was, also when an exception passes", "[backward]") {
  const Variable x = leaf({1});
  CHECK(is_recording());
  {
    const NoGradient outer;
    CHECK_FALSE(is_recording());
    {
      const NoGradient inner;
      CHECK_FALSE((x * x).requires_gradient());
    }
    CHECK_FALSE(is_recording());
    CHECK_FALSE((x * x).requires_gradient());
    CHECK(x.requires_gradient());
    bool elsewhere = false;
    std::thread([&] { elsewhere = is_recording(); }).join();
    CHECK(elsewhere);  // other threads go on
  }
  CHECK(is_recording());
  CHECK_THROWS([&] {
    const NoGradient off;
    reshape(x, {7});
  }());
  CHECK(is_recording());
  CHECK((x * x).requires_gradient());
}

TEST_CASE("backward frees the graph and what it kept", "[backward]") {
  const Variable x = leaf({1, 2, 3});
  Tensor kept({3}, {4, 5, 6});
  std::weak_ptr<Node> inner;
  Variable output;
  {
    const Variable product = x * Variable(kept);
    inner = product.node();
    output = sum(exp(product));
  }
  CHECK_FALSE(inner.expired());
  CHECK_FALSE(kept.is_sole_owner());
  backward(output);
  CHECK(inner.expired());
  CHECK(kept.is_sole_owner());
  CHECK(output.node()->inputs.empty());
}

TEST_CASE("backward frees each gradient as soon as it has been used", "[backward]") {
  constexpr Index size = 1000;
  Variable y = Variable::leaf(Tensor::full({size}, 1)), inner;
  for (int i = 0; i < 200; ++i) y = scale(inner = y, 1);
  pool::trim();
  const std::size_t before = pool::system_allocations();
  backward(y, Tensor::full({size}, 1));
  CHECK(pool::system_allocations() < before + 20);  // two or three gradients, and the lists of nodes
  CHECK(inner.node()->gradient.empty());
}

TEST_CASE("a graph that is dropped without backward is freed", "[backward]") {
  const Variable x = leaf({1, 2, 3});
  Tensor kept({3}, {4, 5, 6});
  { const Variable output = sum(exp(x * Variable(kept))); }
  CHECK(kept.is_sole_owner());
  CHECK(x.node().use_count() == 1);
}

TEST_CASE("backward refuses what it cannot start from", "[backward]") {
  const Variable x = leaf({1, 2});
  CHECK_THROWS_WITH(backward(x * x), Contains("[2]") && Contains("one number"));
  CHECK_THROWS_WITH(backward(sum(Variable(x.value()))), Contains("constant"));
  CHECK_THROWS_WITH(backward(x * x, Tensor({3})), Contains("[2]") && Contains("[3]"));
  CHECK_THROWS_WITH(backward(sum(x), Tensor()), Contains("empty seed"));
  CHECK_THROWS_WITH(Variable::leaf(Tensor({2, 3}), Tensor({3, 2})), Contains("[2, 3]") && Contains("[3, 2]"));
}

TEST_CASE("a second backward through the same graph throws, naming the operation, and adds nothing", "[backward]") {
  const Variable x = leaf({1, 2}), shared = exp(x), first = sum(shared);
  backward(first);
  const std::vector<Real> gradient = list(x.gradient());
  CHECK_THROWS_WITH(backward(first), Contains("sum"));
  CHECK_THROWS_WITH(backward(sum(scale(shared, 2))), Contains("exp"));
  CHECK(list(x.gradient()) == gradient);
}

/// What backward() says of a graph in which `change` was called after the forward pass; the leaf has no gradient then.
std::string error_after(const std::function<Variable(const Variable&)>& function, Tensor value,
                        const std::function<void(Tensor&)>& change) {
  const Variable x = Variable::leaf(value), y = sum(function(x));
  change(value);
  std::string message;
  try {
    backward(y);
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(list(x.gradient()) == std::vector<Real>(static_cast<std::size_t>(value.size()), message.empty() ? 1 : 0));
  return message;
}

TEST_CASE("a tensor that has changed since the forward pass is refused, naming the operation", "[backward]") {
  const Tensor value({2}, {1, 1});
  const auto square_root = [](const Variable& x) { return sqrt(x * x); };
  const std::vector<std::function<void(Tensor&)>> changes = {
      [](Tensor& x) { x[1] = 5; },
      [](Tensor& x) { x.data()[0] = 5; },
      [](Tensor& x) { x.values()[0] = 5; },
      [](Tensor& x) { x.fill(5); },
      [](Tensor& x) { x.add(Tensor::full({2}, 5)); },
      [](Tensor& x) {
        x.reshape({2, 1})[0] = 5;
      },
      [](Tensor& x) { x.part(1, {1}).fill(5); },
  };
  for (const auto& change : changes) {
    CHECK_THAT(error_after(square_root, value.clone(), change), Contains("multiply") && Contains("[2]"));
  }
  const auto nothing = [](const Tensor& x) { return x[0] + x.data()[1] + x.values()[0] + x.clone().data()[0]; };
  CHECK(error_after(square_root, value.clone(), nothing).empty());
}

TEST_CASE("a constant or a result that has changed is refused too, but not after the graph was walked", "[backward]") {
  Tensor constant({2}, {1, 1});
  const Variable x = leaf({1, 2}), product = x * Variable(constant);
  constant[0] = 2;
  CHECK_THROWS_WITH(backward(sum(product)), Contains("multiply"));
  const Variable y = exp(x);
  Tensor(y.value()).fill(0);
  CHECK_THROWS_WITH(backward(sum(y)), Contains("exp"));
  const Variable z = sum(x * Variable(constant));
  backward(z);
  constant[0] = 3;
  CHECK(list(x.gradient()) == std::vector<Real>{2, 1});
}

TEST_CASE("a backward function that returns a gradient of the wrong shape is refused", "[backward]") {
  const Variable x = leaf({1, 2});
  const Variable y = record("careless", Tensor({2}), {x},
                            [](const Tensor&, InputGradients& inputs) { inputs.add(0, Tensor::zeros({3})); });
  CHECK_THROWS_WITH(backward(sum(y)), Contains("[3]") && Contains("[2]"));
}

TEST_CASE("a gradient by what an input was broadcast to is summed over the copies", "[backward]") {
  const Variable x = leaf({1, 2});
  const Variable y = record("copies", Tensor({3, 2}), {x}, [](const Tensor& g, InputGradients& inputs) {
    inputs.add(0, g);
    inputs.add(0, Tensor({2}, {100, 200}));
  });
  backward(y, Tensor({3, 2}, {1, 2, 3, 4, 5, 6}));
  CHECK(list(x.gradient()) == std::vector<Real>{109, 212});
}

TEST_CASE("a result that was changed between two operations is refused, naming the one that made it", "[backward]") {
  const Variable x = leaf({1, 2}), y = exp(x);
  Tensor(y.value()).fill(0);
  const Variable z = sum(y * y);
  CHECK_THROWS_WITH(backward(z), Contains("exp"));
  CHECK(list(x.gradient()) == std::vector<Real>{0, 0});
}

TEST_CASE("a node is visited after all that depend on it, however the graph is tangled", "[backward]") {
  // Fibonacci: each node is used by the next two, so there are exponentially many paths, and a node
  // that were visited too early would miss some of them.
  const Variable x = leaf({1});
  Variable before = x, last = x;
  for (int i = 0; i < 20; ++i) before = std::exchange(last, last + before);
  backward(last);
  CHECK(x.gradient().item() == 17711);
}

TEST_CASE("a chain of a million operations does not overflow the stack", "[backward]") {
  const Variable x = leaf({1});
  const auto chain = [&] {
    Variable y = x;
    for (int i = 0; i < 1000000; ++i) y = scale(y, 1);
    return y;
  };
  SECTION("in backward") {
    backward(chain());
    CHECK(x.gradient().item() == 1);
  }
  SECTION("when it is dropped without backward") {
    chain();
    CHECK(x.node().use_count() == 1);
  }
  pool::trim();
}

TEST_CASE("after a first pass, the same computation asks the system for no memory", "[backward]") {
  const auto parameter = [](const Shape& shape) {
    return Variable::leaf(Tensor::full(shape, Real(0.5)), Tensor::zeros(shape));
  };
  const Variable x = parameter({6, 4}), w = parameter({12, 4}), weight = parameter({4}), bias = parameter({4});
  AttentionSettings settings;
  settings.queries = settings.keys = 6;
  settings.heads = 2;
  settings.head_size = 2;
  settings.dropped = Real(0.1);
  const auto pass = [&] {
    DropoutStream stream;
    const Variable qkv = linear(layer_norm(x, weight, bias), w);
    const Variable y = x + attention({qkv, 0}, {qkv, 4}, {qkv, 8}, settings, stream);
    const std::vector<std::int32_t> targets = {0, 1, 2, 3, 0, 1};
    const std::vector<Variable> halves = {narrow(y, 0, 0, 3), narrow(gelu(y), 0, 3, 3)};
    backward(cross_entropy(dropout(concat(halves, 0), Real(0.2), stream), targets));
  };
  pool::trim();
  const std::size_t at_start = pool::system_allocations();
  pass();
  const std::size_t after_first = pool::system_allocations();
  CHECK(after_first > at_start);
  for (int i = 0; i < 5; ++i) pass();
  CHECK(pool::system_allocations() == after_first);
}

/// A drawing read back: the labels of its boxes, and its arrows as "label -> label".
struct Drawing {
  std::vector<std::string> boxes, arrows;
};

Drawing read_dot(const std::string& dot) {
  Drawing drawing;
  std::map<std::string, std::string> labels;  // by the name of the node in the file
  std::istringstream lines(dot);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find(';')));
    std::string name, second, third;
    words >> name >> second >> third;
    const std::size_t begin = line.find("label=\"");
    if (second == "->") {
      drawing.arrows.push_back(labels.at(name) + " -> " + labels.at(third));
    } else if (begin != std::string::npos) {
      const std::string text = line.substr(begin + 7);
      drawing.boxes.push_back(labels[name] = text.substr(0, text.find('"')));
    }
  }
  return drawing;
}

TEST_CASE("to_dot draws a box for each operation and an arrow for each use of a value", "[backward]") {
  const Variable x = Variable::leaf(Tensor::full({2, 3}, 1)), constant(Tensor::full({3}, 1));
  const Variable y = exp(x), output = sum(y * y + constant);
  const std::string dot = to_dot(output);
  const std::string leaf_box = R"(leaf\n[2, 3])", exp_box = R"(exp\n[2, 3])", multiply_box = R"(multiply\n[2, 3])",
                    add_box = R"(add\n[2, 3])", sum_box = R"(sum\n[])", to = " -> ";
  const Drawing drawing = read_dot(dot);
  using Catch::Matchers::UnorderedEquals;
  CHECK_THAT(drawing.boxes, UnorderedEquals(std::vector{leaf_box, exp_box, multiply_box, add_box, sum_box}));
  CHECK_THAT(drawing.arrows, UnorderedEquals(std::vector{leaf_box + to + exp_box, exp_box + to + multiply_box,
                                                         exp_box + to + multiply_box, multiply_box + to + add_box,
                                                         add_box + to + sum_box}));
  CHECK(dot.starts_with("digraph "));
  CHECK(dot.ends_with("}\n"));
  backward(output);  // drawing has not used the graph up
  CHECK_THROWS_WITH(to_dot(constant), Contains("constant"));
}

}  // namespace backward_test
