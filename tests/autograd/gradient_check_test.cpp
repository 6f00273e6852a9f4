// The gradient check itself: it passes right gradients, and catches wrong ones made for it here.
#include "autograd/gradient_check.hpp"

#include <cmath>
#include <limits>

#include "autograd/operations.hpp"
#include "tests/catch.hpp"

namespace gradient_check_test {

using namespace qisa;
using Catch::Matchers::Contains;
using Inputs = std::span<const Variable>;

// In float a step must be large enough to be seen; the functions here are at most quadratic, for which
// central differences are exact.
constexpr double step = sizeof(Real) == 8 ? 1e-6 : 1e-2;
constexpr double small = sizeof(Real) == 8 ? 1e-8 : 1e-3;

/// The identity, with a gradient that `spoil` has changed.
template <class Spoil>
Variable spoiled(const Variable& x, Spoil spoil) {
  return record("spoiled", x.value().clone(), {x}, [spoil](const Tensor& g, InputGradients& inputs) {
    Tensor wrong = g.clone();
    spoil(wrong);
    inputs.add(0, wrong);
  });
}

const std::vector<Tensor> points = {Tensor({2}, {1, 2}), Tensor({3}, {3, 4, 5})};

TEST_CASE("right gradients pass, and every element is compared", "[gradient_check]") {
  const auto worst = check_gradients([](Inputs x) { return sum(x[0] * x[0]) + sum(scale(x[1], -3)); }, points, step);
  CHECK(worst.compared == 5);
  CHECK(worst.error < small);
  CHECK(check_gradients([](Inputs x) { return x[0]; }, points, step).error < small);
}

TEST_CASE("the inputs of a check are left as they were", "[gradient_check]") {
  const Tensor x({3}, {1, 2, 3});
  check_gradients([](Inputs in) { return in[0] * in[0]; }, std::vector{x}, step);
  CHECK((x[0] == 1 && x[1] == 2 && x[2] == 3));
}

TEST_CASE("a gradient that is twice too large, of the wrong sign or missing is caught", "[gradient_check]") {
  for (const Real factor : {Real(2), Real(-1), Real(0)}) {
    const auto double_it = [factor](Tensor& g) {
      for (Real& value : g.values()) value *= factor;
    };
    const auto worst = check_gradients([&](Inputs x) { return spoiled(x[0], double_it); }, points, step);
    CHECK(worst.error > 0.4);
    CHECK(worst.input == 0);
    CHECK(worst.compared == 5);
  }
}

TEST_CASE("one wrong element among right ones is found, and named", "[gradient_check]") {
  const auto spoil = [](Tensor& g) { g[2] += Real(0.5); };
  const auto worst = check_gradients([&](Inputs x) { return sum(x[0]) + sum(spoiled(x[1], spoil)); }, points, step);
  CHECK(worst.input == 1);
  CHECK(worst.element == 2);
  CHECK(worst.analytic - worst.numeric == Approx(0.5).epsilon(0.01));
  CHECK(worst.error == Approx(0.5 / std::max(1.0, worst.numeric)).epsilon(0.01));
}

TEST_CASE("two exchanged elements of a gradient are caught", "[gradient_check]") {
  const auto exchange = [](Tensor& g) { std::swap(g[0], g[1]); };
  CHECK(check_gradients([&](Inputs x) { return spoiled(x[0], exchange); }, points, step).error > 0.01);
}

TEST_CASE("a gradient that is missing for one of two uses is caught", "[gradient_check]") {
  const auto forgetful = [](Inputs x) { return x[0] * Variable(x[0].value()); };
  CHECK(check_gradients(forgetful, points, step).error > 0.4);
}

TEST_CASE("values and gradients that are not finite are refused", "[gradient_check]") {
  const Real nan = std::numeric_limits<Real>::quiet_NaN(), infinity = std::numeric_limits<Real>::infinity();
  for (const Real bad : {nan, infinity}) {
    const auto bad_gradient = [bad](Tensor& g) { g[1] = bad; };
    CHECK_THROWS_WITH(check_gradients([&](Inputs x) { return spoiled(x[0], bad_gradient); }, points, step),
                      Contains("element 1 of input 0") && Contains("not finite"));
    const Variable bad_value(Tensor({2}, {1, bad}));
    CHECK_THROWS_WITH(check_gradients([&](Inputs x) { return x[0] * bad_value; }, points, step),
                      Contains("not finite"));
  }
}

TEST_CASE("a function that does not depend on its inputs is refused", "[gradient_check]") {
  CHECK_THROWS_WITH(check_gradients([](Inputs x) { return Variable(x[0].value()); }, points, step),
                    Contains("constant"));
}

TEST_CASE("without elements, nothing counts as compared", "[gradient_check]") {
  CHECK(check_gradients([](Inputs x) { return sum(x[0]); }, std::vector{Tensor({0, 3})}, step).compared == 0);
}

}  // namespace gradient_check_test
