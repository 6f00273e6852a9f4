// Values of the operations against published and hand-computed numbers, plain loops in double, and
// identities of their definitions.
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "autograd/backward.hpp"
#include "autograd/operations.hpp"
#include "tensor/random.hpp"
#include "tests/catch.hpp"

namespace operations_forward_test {

using namespace qisa;

constexpr double tolerance = sizeof(Real) == 8 ? 1e-9 : 2e-6;

Variable constant(const Shape& shape, std::initializer_list<Real> values) { return Variable(Tensor(shape, values)); }

Tensor random_tensor(const Shape& shape, double low = -1, double high = 1) {
  static Random random(1, Purpose::tests);
  Tensor x(shape);
  for (Real& value : x.values()) value = static_cast<Real>(random.uniform(low, high));
  return x;
}

void check_values(const Variable& actual, const Shape& shape, const std::vector<double>& expected) {
  REQUIRE(actual.shape() == shape);
  REQUIRE(actual.value().size() == static_cast<Index>(expected.size()));
  for (Index i = 0; i < shape.size(); ++i) {
    CAPTURE(i);
    const double value = expected[static_cast<std::size_t>(i)];
    CHECK(static_cast<double>(actual.value()[i]) == Approx(value).epsilon(tolerance).margin(tolerance));
  }
}

TEST_CASE("elementwise operations of two arguments", "[operations]") {
  const Variable a = constant({2, 2}, {1, 2, 3, 4}), b = constant({2}, {10, -2});
  check_values(a + b, {2, 2}, {11, 0, 13, 2});
  check_values(a - b, {2, 2}, {-9, 4, -7, 6});
  check_values(b - a, {2, 2}, {9, -4, 7, -6});
  check_values(a * b, {2, 2}, {10, -4, 30, -8});
  check_values(a / b, {2, 2}, {0.1, -1, 0.3, -2});
  check_values(b / a, {2, 2}, {10, -1, 10.0 / 3, -0.5});
}

TEST_CASE("elementwise operations of one argument have their tabulated values", "[operations]") {
  const Variable x = constant({3}, {-1, 0, 1}), positive = constant({3}, {0.25, 1, 10});
  check_values(-x, {3}, {1, 0, -1});
  check_values(scale(x, 3), {3}, {-3, 0, 3});
  check_values(exp(x), {3}, {0.3678794411714423, 1, 2.718281828459045});
  check_values(log(positive), {3}, {-1.3862943611198906, 0, 2.302585092994046});
  check_values(sqrt(positive), {3}, {0.5, 1, 3.1622776601683795});
  check_values(sin(x), {3}, {-0.8414709848078965, 0, 0.8414709848078965});
  check_values(cos(x), {3}, {0.5403023058681398, 1, 0.5403023058681398});
  check_values(tanh(x), {3}, {-0.7615941559557649, 0, 0.7615941559557649});
  check_values(relu(x), {3}, {0, 0, 1});
  check_values(gelu(x), {3}, {-0.1588080094, 0, 0.8411919906});
}

TEST_CASE("gelu and its gradient tend to those of relu far from 0, without overflow", "[operations]") {
  const Variable x = Variable::leaf(Tensor({4}, {-1000, -20, 20, 1000}));
  const Variable y = gelu(x);
  check_values(y, {4}, {0, 0, 20, 1000});
  backward(sum(y));
  check_values(Variable(x.gradient()), {4}, {0, 0, 1, 1});
}

TEST_CASE("relu has gradient 0 at 0, and lets NaN pass", "[operations]") {
  const Variable x = Variable::leaf(Tensor::zeros({1}));
  backward(relu(x));
  CHECK(x.gradient().item() == 0);
  CHECK(std::isnan(relu(constant({1}, {std::numeric_limits<Real>::quiet_NaN()})).value().item()));
}

TEST_CASE("sums and means, whole and over an axis", "[operations]") {
  const Variable x = constant({2, 3}, {1, 2, 3, 4, 5, 9});
  check_values(sum(x), {}, {24});
  check_values(mean(x), {}, {4});
  check_values(sum(x, 0), {3}, {5, 7, 12});
  check_values(sum(x, 1), {2}, {6, 18});
  check_values(mean(x, 0), {3}, {2.5, 3.5, 6});
  check_values(mean(x, -1), {2}, {2, 6});
  check_values(sum(constant({}, {7})), {}, {7});
  check_values(sum(Variable(Tensor({0, 2}))), {}, {0});
  check_values(sum(Variable(Tensor({0, 2})), 0), {2}, {0, 0});
}

TEST_CASE("matmul multiplies matrices by hand", "[operations]") {
  check_values(matmul(constant({2, 3}, {1, 2, 3, 4, 5, 6}), constant({3, 2}, {7, 8, 9, 10, 11, 12})), {2, 2},
               {58, 64, 139, 154});
  check_values(matmul(constant({1, 1}, {3}), constant({1, 1}, {-2})), {1, 1}, {-6});
  check_values(matmul(Variable(Tensor({2, 0})), Variable(Tensor({0, 2}))), {2, 2}, {0, 0, 0, 0});
}

TEST_CASE("matmul of batches that broadcast equals plain loops", "[operations]") {
  const Index m = 3, k = 17, n = 2;
  const Tensor a = random_tensor({2, 1, m, k}), b = random_tensor({4, k, n});
  std::vector<double> expected;
  for (Index outer = 0; outer < 2; ++outer) {
    for (Index inner = 0; inner < 4; ++inner) {
      for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
          double total = 0;
          for (Index l = 0; l < k; ++l) {
            total += static_cast<double>(a[(outer * m + i) * k + l]) * static_cast<double>(b[(inner * k + l) * n + j]);
          }
          expected.push_back(total);
        }
      }
    }
  }
  check_values(matmul(Variable(a), Variable(b)), {2, 4, m, n}, expected);
}

/// linear and activated_linear with weights of one shape, for x of one, two and three axes.
void check_linear(Index in, Index out) {
  CAPTURE(in, out);
  const Tensor weight = random_tensor({out, in}), bias = random_tensor({out});
  for (const Shape& shape : {Shape{in}, Shape{3, in}, Shape{2, 5, in}}) {
    const Tensor x = random_tensor(shape);
    std::vector<double> products, sums, rectified, gelus;
    for (Index row = 0; row < x.size() / in; ++row) {
      for (Index o = 0; o < out; ++o) {
        double total = 0;
        for (Index i = 0; i < in; ++i) {
          total += static_cast<double>(x[row * in + i]) * static_cast<double>(weight[o * in + i]);
        }
        products.push_back(total);
        const double z = total + static_cast<double>(bias[o]);
        sums.push_back(z);
        rectified.push_back(std::max(z, 0.0));
        gelus.push_back(z / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (z + 0.044715 * z * z * z))));
      }
    }
    check_values(linear(Variable(x), Variable(weight)), shape.with(-1, out), products);
    check_values(linear(Variable(x), Variable(weight), Variable(bias)), shape.with(-1, out), sums);
    const auto activated = [&](Activation f) {
      return activated_linear(Variable(x), Variable(weight), Variable(bias), f);
    };
    check_values(activated(Activation::relu), shape.with(-1, out), rectified);
    check_values(activated(Activation::gelu), shape.with(-1, out), gelus);
  }
}

TEST_CASE("linear and activated_linear equal plain loops, with BLAS and as narrow products", "[operations]") {
  check_linear(5, 7);
  check_linear(16, 16);
  check_linear(16, 48);
  check_linear(64, 16);
  check_linear(16, 17);
}

TEST_CASE("linear of no inputs is its bias, or 0", "[operations]") {
  const Variable x(Tensor({2, 0})), weight(Tensor({3, 0}));
  const auto spoil_idle_memory = [] { Tensor({2, 3}).fill(std::numeric_limits<Real>::quiet_NaN()); };
  spoil_idle_memory();
  check_values(linear(x, weight, constant({3}, {1, 2, 3})), {2, 3}, {1, 2, 3, 1, 2, 3});
  spoil_idle_memory();
  check_values(linear(x, weight), {2, 3}, {0, 0, 0, 0, 0, 0});
}

TEST_CASE("reshape, transpose, slice, concat and gather move elements", "[operations]") {
  const Variable x = constant({2, 3}, {1, 2, 3, 4, 5, 6});
  check_values(reshape(x, {3, -1}), {3, 2}, {1, 2, 3, 4, 5, 6});
  check_values(transpose(x, 0, 1), {3, 2}, {1, 4, 2, 5, 3, 6});
  check_values(narrow(x, 0, 1, 1), {1, 3}, {4, 5, 6});
  check_values(narrow(x, -1, 1, 2), {2, 2}, {2, 3, 5, 6});
  check_values(narrow(x, 1, 3, 0), {2, 0}, {});
  const std::vector<Variable> rows = {x, constant({1, 3}, {7, 8, 9})}, columns = {x, constant({2, 1}, {7, 8}), x};
  check_values(concat(rows, 0), {3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  check_values(concat(columns, 1), {2, 7}, {1, 2, 3, 7, 1, 2, 3, 4, 5, 6, 8, 4, 5, 6});
  check_values(gather(x, std::vector<std::int32_t>{1, 0, 1}), {3, 3}, {4, 5, 6, 1, 2, 3, 4, 5, 6});
  check_values(gather(x, {}), {0, 3}, {});
}

TEST_CASE("softmax by hand: weights in the ratio of the exponentials", "[operations]") {
  check_values(softmax(constant({2, 2}, {0, Real(std::log(3.0)), 5, 5})), {2, 2}, {0.25, 0.75, 0.5, 0.5});
  check_values(softmax(constant({2, 1}, {-7, 1e4})), {2, 1}, {1, 1});
}

TEST_CASE("rows of softmax sum to 1, are the same after a shift, and do not overflow", "[operations]") {
  const Tensor x = random_tensor({4, 33}, -3, 3);
  const Tensor y = softmax(Variable(x)).value();
  const Tensor shifted = softmax(Variable(x) + Variable(Tensor::scalar(8))).value();
  for (Index row = 0; row < 4; ++row) {
    double total = 0;
    for (Index i = row * 33; i < (row + 1) * 33; ++i) {
      total += static_cast<double>(y[i]);
      CHECK(static_cast<double>(shifted[i]) == Approx(static_cast<double>(y[i])).epsilon(1e-5));
    }
    CHECK(total == Approx(1).epsilon(tolerance));
  }
  check_values(softmax(constant({4}, {1e4, -1e4, 1e4, 0})), {4}, {0.5, 0, 0.5, 0});
}

TEST_CASE("cross-entropy is the mean of -log p, by hand", "[operations]") {
  // p = (1/4, 3/4) in both rows: -log(1/4) and -log(3/4).
  const Real log_3 = std::log(Real(3));
  const Variable logits = constant({2, 2}, {0, log_3, 100, 100 + log_3});
  const double expected = (std::log(4.0) + std::log(4.0 / 3)) / 2;
  CHECK(static_cast<double>(cross_entropy(logits, std::vector<std::int32_t>{0, 1}).value().item()) ==
        Approx(expected).epsilon(1e-5));
}

TEST_CASE("cross-entropy of equal logits is the logarithm of the number of classes, whatever the target",
          "[operations]") {
  for (const Index classes : {1, 2, 65, 1000}) {
    for (const Real logit : {Real(0), Real(-1e4), Real(1e4)}) {
      const Variable logits(Tensor::full({3, classes}, logit));
      const std::vector<std::int32_t> targets = {0, static_cast<std::int32_t>(classes / 2),
                                                 static_cast<std::int32_t>(classes - 1)};
      const double margin = sizeof(Real) == 8 ? 1e-9 : 1e-3;  // float knows 10,000 + log(V) to 0.001
      CHECK(static_cast<double>(cross_entropy(logits, targets).value().item()) ==
            Approx(std::log(static_cast<double>(classes))).epsilon(0).margin(margin));
    }
  }
}

TEST_CASE("cross-entropy of a sure and wrong prediction is the difference of the logits", "[operations]") {
  const Variable logits = constant({1, 3}, {1e4, -1e4, 0});
  check_values(cross_entropy(logits, std::vector<std::int32_t>{0}), {}, {0});
  check_values(cross_entropy(logits, std::vector<std::int32_t>{1}), {}, {2e4});
}

TEST_CASE("layer norm makes rows of mean 0 and variance 1, then scales and shifts each column", "[operations]") {
  const Index width = 37;
  const Variable ones(Tensor::full({width}, 1)), zeros(Tensor::zeros({width}));
  const Variable x(random_tensor({2, 3, width}, 5, 15));
  const Tensor y = layer_norm(x, ones, zeros).value();
  REQUIRE(y.shape() == x.shape());
  for (Index row = 0; row < 6; ++row) {
    double total = 0, squares = 0;
    for (Index i = row * width; i < (row + 1) * width; ++i) {
      total += static_cast<double>(y[i]);
      squares += static_cast<double>(y[i]) * static_cast<double>(y[i]);
    }
    CHECK(total / width == Approx(0).margin(1e-5));
    CHECK(squares / width == Approx(1).epsilon(1e-5));
  }
  // By hand: mean 2, variance 4; with epsilon 5 the deviation is 3.
  check_values(layer_norm(constant({1, 2}, {0, 4}), constant({2}, {3, 6}), constant({2}, {10, 20}), 5), {1, 2},
               {8, 24});
  check_values(layer_norm(constant({2}, {-1, 1}), constant({2}, {1, 1}), constant({2}, {0, 0})), {2},
               {-0.99999500003749969, 0.99999500003749969});  // 1 / sqrt(1 + 1e-5)
  check_values(layer_norm(constant({2, 1}, {5, -7}), constant({1}, {3}), constant({1}, {4})), {2, 1}, {4, 4});
}

TEST_CASE("dropout sets elements to 0 or scales them by 1 / (1 - p), as its stream says", "[operations]") {
  const Variable x(random_tensor({100, 10}, 1, 2));
  DropoutStream stream{1, 2, 3}, same{1, 2, 3};
  const Tensor y = dropout(x, Real(0.5), stream).value(), again = dropout(x, Real(0.5), same).value();
  const Tensor next = dropout(x, Real(0.5), stream).value();
  Index zeros = 0, differences = 0;
  for (Index i = 0; i < y.size(); ++i) {
    CHECK((y[i] == 0 || y[i] == 2 * x.value()[i]));
    CHECK(again[i] == y[i]);
    zeros += y[i] == 0;
    differences += next[i] != y[i];
  }
  CHECK(std::abs(zeros - 500) < 80);  // 5 standard deviations
  CHECK(std::abs(differences - 500) < 80);
  CHECK(stream.next_mask == 2);
}

TEST_CASE("add_dropout adds what dropout gives for the same stream", "[operations]") {
  const Variable a(random_tensor({9, 10}, 1, 2)), b(random_tensor({9, 10}, 1, 2));
  DropoutStream stream{1, 2, 3}, same{1, 2, 3};
  const Tensor y = add_dropout(a, b, Real(0.5), stream).value(), dropped = dropout(b, Real(0.5), same).value();
  for (Index i = 0; i < y.size(); ++i) CHECK(y[i] == a.value()[i] + dropped[i]);
  CHECK(stream.next_mask == 1);
}

TEST_CASE("dropout at rate 0 is its argument and reads no random numbers", "[operations]") {
  const Variable x = Variable::leaf(Tensor::full({3}, 1));
  DropoutStream stream;
  CHECK(dropout(x, 0, stream).node() == x.node());
  CHECK(stream.next_mask == 0);
}

TEST_CASE("sums and gradients over many rows do not drift", "[operations]") {
  constexpr Index rows = sizeof(Real) == 4 ? 4'000'000 : 100'000, width = 2;
  const Real tenth = Real(0.1);
  const double each = static_cast<double>(tenth), expected = each * rows;
  const auto check_all = [](const Tensor& sums, double value) {
    for (const Real total : sums.values()) CHECK(static_cast<double>(total) == Approx(value).epsilon(1e-6));
  };
  const Tensor tenths = Tensor::full({rows, width}, tenth);
  check_all(sum(Variable(tenths)).value(), width * expected);
  check_all(mean(Variable(tenths)).value(), each);
  check_all(mean(Variable(tenths), 0).value(), each);

  const auto parameter = [](const Shape& shape) { return Variable::leaf(Tensor::zeros(shape), Tensor::zeros(shape)); };
  const Variable row = parameter({width}), bias = parameter({width}), shift = parameter({width}),
                 gain = parameter({width}), weight = parameter({width, 1});
  const Variable zeros(Tensor::zeros({rows, 1}));
  backward(row + Variable(tenths), tenths);
  check_all(row.gradient(), expected);
  backward(linear(zeros, weight, bias), tenths);
  check_all(bias.gradient(), expected);
  Tensor x({rows, width});  // of mean 0 and variance 1
  for (Index i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? Real(1) : Real(-1);
  backward(layer_norm(Variable(x), gain, shift, 0), tenths);
  check_all(shift.gradient(), expected);
  check_all(gain.gradient().part(0, {1}), expected);
  check_all(gain.gradient().part(1, {1}), -expected);
  pool::trim();
}

}  // namespace operations_forward_test
