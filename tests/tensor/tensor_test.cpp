// Tensors: what shares storage and what does not, and what is refused.
#include "tensor/tensor.hpp"

#include <numeric>
#include <vector>

#include "tests/catch.hpp"

namespace tensor_test {

using namespace qisa;
using Catch::Matchers::Contains;

std::vector<Real> list(const Tensor& x) { return {x.values().begin(), x.values().end()}; }

TEST_CASE("a tensor holds the values that it was given in row-major order", "[tensor]") {
  const Tensor x({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.rank() == 2);
  CHECK(x.size() == 6);
  CHECK(list(x) == std::vector<Real>{1, 2, 3, 4, 5, 6});
  CHECK(x[4] == 5);
}

TEST_CASE("full, zeros and scalar fill what they make", "[tensor]") {
  CHECK(list(Tensor::full({3}, 2.5)) == std::vector<Real>{2.5, 2.5, 2.5});
  CHECK(list(Tensor::zeros({2, 2})) == std::vector<Real>{0, 0, 0, 0});
  CHECK(Tensor::scalar(-4).item() == -4);
  CHECK(Tensor::scalar(-4).rank() == 0);
  CHECK(Tensor::full({1, 1}, 9).item() == 9);
}

TEST_CASE("a default tensor is empty, a tensor of size 0 is not", "[tensor]") {
  CHECK(Tensor().empty());
  CHECK(Tensor().size() == 0);
  CHECK(Tensor().values().empty());
  CHECK(Tensor().clone().empty());
  CHECK_FALSE(Tensor().shares_storage_with(Tensor()));
  CHECK_FALSE(Tensor({0}).empty());
  CHECK(Tensor({0}).size() == 0);
}

TEST_CASE("copies and reshapes share storage, clones do not", "[tensor]") {
  Tensor x({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(x.is_sole_owner());
  const Tensor copy = x, reshaped = x.reshape({3, 2}), clone = x.clone();
  CHECK_FALSE(x.is_sole_owner());
  x[0] = 10;
  CHECK(copy[0] == 10);
  CHECK(reshaped[0] == 10);
  CHECK(clone[0] == 1);
  CHECK(x.shares_storage_with(copy));
  CHECK(x.shares_storage_with(reshaped));
  CHECK_FALSE(x.shares_storage_with(clone));
  CHECK(clone.is_sole_owner());
  CHECK(clone.shape() == x.shape());
}

TEST_CASE("reshape finds the one size that is not given", "[tensor]") {
  const Tensor x({2, 3, 4});
  CHECK(x.reshape({-1}).shape() == Shape{24});
  CHECK(x.reshape({4, -1}).shape() == Shape{4, 6});
  CHECK(x.reshape({-1, 2, 2}).shape() == Shape{6, 2, 2});
  CHECK(Tensor({0, 3}).reshape({-1, 5}).shape() == Shape{0, 5});
  CHECK(Tensor::scalar(1).reshape({1, 1}).shape() == Shape{1, 1});
  CHECK(Tensor({1}).reshape(Shape{}).shape() == Shape{});
}

TEST_CASE("part() is a window on the same storage and keeps it alive", "[tensor]") {
  Tensor window;
  {
    Tensor x({10});
    std::iota(x.values().begin(), x.values().end(), Real(0));
    window = x.part(4, {2, 3});
    CHECK_FALSE(x.is_sole_owner());
    x[4] = 40;
  }
  CHECK(list(window) == std::vector<Real>{40, 5, 6, 7, 8, 9});
  CHECK(Tensor({3}).part(3, {0}).size() == 0);
}

TEST_CASE("add() and fill() work in place, on every element", "[tensor]") {
  for (const Index size : {0, 1, 3, 8, 37}) {
    Tensor x({size}), y({size});
    std::iota(x.values().begin(), x.values().end(), Real(1));
    y.fill(100);
    x.add(y);
    for (Index i = 0; i < size; ++i) CHECK(x[i] == static_cast<Real>(101 + i));
  }
  Tensor x = Tensor::full({3}, 2);
  x.add(x);
  CHECK(list(x) == std::vector<Real>{4, 4, 4});
}

TEST_CASE("what does not fit a tensor is refused with the numbers that disagree", "[tensor]") {
  const Tensor x({2, 3});
  CHECK_THROWS_WITH(Tensor({2, 2}, {1, 2, 3}), Contains("[2, 2]") && Contains("4 values, not 3"));
  CHECK_THROWS_WITH(x.item(), Contains("one element") && Contains("[2, 3]"));
  CHECK_THROWS_WITH(Tensor({0}).item(), Contains("[0]"));
  CHECK_THROWS_WITH(Tensor().item(), Contains("one element"));
  CHECK_THROWS_WITH(x.reshape({4, 2}), Contains("[2, 3] (6 elements)") && Contains("[4, 2] (8 elements)"));
  CHECK_THROWS_WITH(x.reshape({4, -1}), Contains("[2, 3]") && Contains("multiple of 4"));
  CHECK_THROWS_WITH(x.reshape({0, -1}), Contains("[2, 3]") && Contains("multiple of 0"));
  CHECK_THROWS_WITH(x.reshape({-1, -1}), Contains("[2, 3]"));
  CHECK_THROWS_WITH(x.reshape({1, 1, 1, 1, 1, 1, 6}), Contains("at most 6 axes, not 7"));
  CHECK_THROWS_WITH(x.part(4, {3}), Contains("elements 4 to 7") && Contains("6 elements"));
  CHECK_THROWS_WITH(x.part(-1, {3}), Contains("elements -1 to 2"));
  CHECK_THROWS_WITH(Tensor({2}).add(Tensor({3})), Contains("[3]") && Contains("[2]"));
}

}  // namespace tensor_test
