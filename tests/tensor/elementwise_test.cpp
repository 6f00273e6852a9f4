// Broadcasting, sums over axes and transposition against index arithmetic on whole coordinates, and
// the softmax of a row against long double.
#include "tensor/elementwise.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tensor/fast/pool.hpp"
#include "tensor/fast/softmax.hpp"
#include "tests/catch.hpp"

namespace elementwise_test {

using namespace qisa;
using Catch::Matchers::Contains;
using Coordinates = std::vector<Index>;

/// 1, 2, 3, … so that each element is another number, and sums of few of them are exact.
Tensor counted(const Shape& shape) {
  Tensor x(shape);
  for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<Real>(i + 1);
  return x;
}

Coordinates coordinates(Index flat, const Shape& shape) {
  Coordinates result(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    result[static_cast<std::size_t>(axis)] = flat % shape[axis];
    flat /= shape[axis];
  }
  return result;
}

Index flat_index(const Coordinates& at, const Shape& shape) {
  Index flat = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) flat = flat * shape[axis] + at[static_cast<std::size_t>(axis)];
  return flat;
}

/// Where the element `at` of a broadcast result is found in an operand of fewer or smaller axes.
Index source_index(Coordinates at, const Shape& operand) {
  at.erase(at.begin(), at.end() - operand.rank());
  for (int axis = 0; axis < operand.rank(); ++axis) {
    if (operand[axis] == 1) at[static_cast<std::size_t>(axis)] = 0;
  }
  return flat_index(at, operand);
}

struct Broadcast {
  Shape a, b, result;
};

const std::vector<Broadcast> broadcasts = {
    {{}, {}, {}},
    {{1}, {1}, {1}},
    {{7}, {7}, {7}},
    {{}, {2, 3}, {2, 3}},
    {{1}, {33}, {33}},
    {{3, 1}, {1, 4}, {3, 4}},
    {{4}, {2, 3, 4}, {2, 3, 4}},
    {{3, 1}, {2, 3, 4}, {2, 3, 4}},
    {{2, 1, 4}, {2, 3, 1}, {2, 3, 4}},
    {{1, 3, 1, 5}, {2, 1, 4, 1}, {2, 3, 4, 5}},
    {{2, 1, 2, 1, 2, 1}, {1, 3, 1, 3, 1, 3}, {2, 3, 2, 3, 2, 3}},
    {{0, 3}, {3}, {0, 3}},
    {{2, 0}, {2, 1}, {2, 0}},
    {{1}, {0}, {0}},
};

TEST_CASE("zip pairs the elements that have the same coordinates, repeating axes of size 1", "[elementwise]") {
  const auto digits = [](Real x, Real y) { return 1000 * x + y; };  // tells the operands apart
  for (const Broadcast& c : broadcasts) {
    for (const auto& [shape_a, shape_b] : {std::pair(c.a, c.b), std::pair(c.b, c.a)}) {
      CAPTURE(shape_a.to_string(), shape_b.to_string());
      const Tensor a = counted(shape_a), b = counted(shape_b), y = zip_elements("test", a, b, digits);
      REQUIRE(y.shape() == c.result);
      for (Index i = 0; i < y.size(); ++i) {
        const Coordinates at = coordinates(i, c.result);
        CHECK(y[i] == digits(a[source_index(at, shape_a)], b[source_index(at, shape_b)]));
      }
    }
  }
}

TEST_CASE("zip refuses shapes that do not broadcast, in the caller's name", "[elementwise]") {
  CHECK_THROWS_WITH(zip_elements("caller", Tensor({2, 3}), Tensor({4}), [](Real x, Real) { return x; }),
                    Contains("[caller]") && Contains("[2, 3] and [4]"));
}

TEST_CASE("map changes every element and leaves its argument alone", "[elementwise]") {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{37}, Shape{3, 5}, Shape{0, 2}}) {
    const Tensor x = counted(shape), y = map_elements(x, [](Real v) { return 2 * v + 1; });
    REQUIRE(y.shape() == shape);
    for (Index i = 0; i < y.size(); ++i)
      CHECK((y[i] == static_cast<Real>(2 * i + 3) && x[i] == static_cast<Real>(i + 1)));
  }
}

TEST_CASE("sum_to adds the elements that came from the same one", "[elementwise]") {
  for (const Broadcast& c : broadcasts) {
    for (const Shape& shape : {c.a, c.b}) {
      CAPTURE(c.result.to_string(), shape.to_string());
      const Tensor x = counted(c.result), y = sum_to(x, shape);
      REQUIRE(y.shape() == shape);
      std::vector<double> sums(static_cast<std::size_t>(shape.size()));
      for (Index i = 0; i < x.size(); ++i) {
        sums[static_cast<std::size_t>(source_index(coordinates(i, c.result), shape))] += static_cast<double>(x[i]);
      }
      for (Index i = 0; i < y.size(); ++i) CHECK(static_cast<double>(y[i]) == sums[static_cast<std::size_t>(i)]);
    }
  }
}

TEST_CASE("sum_to refuses a shape that does not broadcast to the tensor's", "[elementwise]") {
  CHECK_THROWS_WITH(sum_to(Tensor({2, 3}), {2}), Contains("[2]") && Contains("[2, 3]"));
  CHECK_THROWS_WITH(sum_to(Tensor({3}), {2, 3}), Contains("[2, 3]") && Contains("[3]"));
  CHECK_THROWS_WITH(sum_to(Tensor({1}), {3}), Contains("[3]") && Contains("[1]"));
}

TEST_CASE("sum over an axis adds along it and drops it", "[elementwise]") {
  for (const Shape& shape :
       {Shape{5}, Shape{1}, Shape{2, 3}, Shape{2, 3, 4}, Shape{3, 1, 2, 5}, Shape{3, 0}, Shape{0, 3}}) {
    for (int axis = -shape.rank(); axis < shape.rank(); ++axis) {
      CAPTURE(shape.to_string(), axis);
      const auto dropped = static_cast<std::ptrdiff_t>(axis < 0 ? axis + shape.rank() : axis);
      Coordinates rest(shape.begin(), shape.end());
      rest.erase(rest.begin() + dropped);
      const Shape reduced{std::span<const Index>(rest)};
      const Tensor x = counted(shape), y = sum(x, axis);
      REQUIRE(y.shape() == reduced);
      std::vector<double> sums(static_cast<std::size_t>(reduced.size()));
      for (Index i = 0; i < x.size(); ++i) {
        Coordinates at = coordinates(i, shape);
        at.erase(at.begin() + dropped);
        sums[static_cast<std::size_t>(flat_index(at, reduced))] += static_cast<double>(x[i]);
      }
      for (Index i = 0; i < y.size(); ++i) CHECK(static_cast<double>(y[i]) == sums[static_cast<std::size_t>(i)]);
    }
  }
  CHECK_THROWS_WITH(sum(Tensor({2, 3}), 2), Contains("[2, 3] has no axis 2"));
}

TEST_CASE("sums of many numbers are as exact as their terms", "[elementwise]") {
  constexpr Index count = sizeof(Real) == 4 ? 20'000'001 : 1'000'001;  // doubles need more to drift
  const Tensor ones = Tensor::full({count}, 1);
  CHECK(static_cast<double>(sum_to(ones, {}).item()) == Approx(double{count}).epsilon(1e-7));
  CHECK(static_cast<double>(sum(ones, 0).item()) == Approx(double{count}).epsilon(1e-7));
  constexpr Index rows = count / 3, columns = 3;
  const Real tenth = Real(0.1);
  const Tensor tenths = Tensor::full({rows, columns}, tenth);
  const double expected = static_cast<double>(tenth) * rows;
  for (const Tensor& sums : {sum_to(tenths, {columns}), sum(tenths, 0), sum_to(tenths, {1, columns})}) {
    for (const Real total : sums.values()) CHECK(static_cast<double>(total) == Approx(expected).epsilon(5e-7));
  }
  const Tensor whole = sum_to(tenths.reshape({rows, 1, columns}), {1, 1});
  CHECK(static_cast<double>(whole.item()) == Approx(3 * expected).epsilon(5e-7));
  pool::trim();
}

void check_transposed(const Shape& shape, int axis_a, int axis_b) {
  CAPTURE(shape.to_string(), axis_a, axis_b);
  const auto a = static_cast<std::size_t>(axis_a < 0 ? axis_a + shape.rank() : axis_a);
  const auto b = static_cast<std::size_t>(axis_b < 0 ? axis_b + shape.rank() : axis_b);
  Coordinates sizes(shape.begin(), shape.end());
  std::swap(sizes[a], sizes[b]);
  const Tensor x = counted(shape), y = transpose(x, axis_a, axis_b);
  REQUIRE(y.shape() == Shape(std::span<const Index>(sizes)));
  for (Index i = 0; i < x.size(); ++i) {
    Coordinates at = coordinates(i, shape);
    std::swap(at[a], at[b]);
    CHECK(y[flat_index(at, y.shape())] == x[i]);
  }
}

TEST_CASE("transpose exchanges two coordinates of every element", "[elementwise]") {
  for (const Shape& shape : {Shape{4}, Shape{1, 1}, Shape{2, 3}, Shape{5, 1}, Shape{2, 3, 4}, Shape{2, 3, 4, 5}}) {
    for (int a = -shape.rank(); a < shape.rank(); ++a) {
      for (int b = -shape.rank(); b < shape.rank(); ++b) check_transposed(shape, a, b);
    }
  }
  CHECK_THROWS_WITH(transpose(Tensor({2, 3}), 0, 2), Contains("[2, 3] has no axis 2"));
}

TEST_CASE("a tensor without elements can be transposed", "[elementwise]") {
  check_transposed({0, 3}, 0, 1);
  check_transposed({3, 0}, 0, 1);
  check_transposed({0, 2, 3}, 1, 2);
  check_transposed({2, 0, 3}, 0, 2);
}

TEST_CASE("softmax_row is exp(x) over its sum and returns the logarithm of the sum, for any size of x", "[softmax]") {
  constexpr double tolerance = sizeof(Real) == 8 ? 1e-14 : 1e-6;
  for (const double offset : {0.0, -1000.0, 1000.0}) {
    for (const Index count : {1, 2, 3, 7, 8, 9, 31, 32, 33}) {
      CAPTURE(offset, count);
      std::vector<Real> x, y(static_cast<std::size_t>(count));
      for (Index i = 0; i < count; ++i) x.push_back(static_cast<Real>(offset + 0.5 * static_cast<double>(i * 7 % 11)));
      long double total = 0;
      for (const Real v : x) total += std::exp(static_cast<long double>(v));
      const Real log_sum = softmax_row(x.data(), y.data(), count);
      CHECK(static_cast<double>(log_sum) == Approx(static_cast<double>(std::log(total))).epsilon(tolerance));
      for (std::size_t i = 0; i < x.size(); ++i) {
        const auto expected = static_cast<double>(std::exp(static_cast<long double>(x[i])) / total);
        CHECK(static_cast<double>(y[i]) == Approx(expected).epsilon(10 * tolerance).margin(tolerance));
      }
    }
  }
}

TEST_CASE("softmax_row gives no weight to minus infinity and may write over its argument", "[softmax]") {
  const Real hidden = -std::numeric_limits<Real>::infinity();
  std::vector<Real> x = {1, hidden, 1, hidden};
  CHECK(static_cast<double>(softmax_row(x.data(), x.data(), 4)) == Approx(1 + std::log(2.0)));
  CHECK(x == std::vector<Real>{0.5, 0, 0.5, 0});
}

}  // namespace elementwise_test
