// Shapes: sizes and axes, broadcasting by NumPy's rule, and what is refused.
#include "tensor/shape.hpp"

#include <vector>

#include "tensor/error.hpp"
#include "tests/catch.hpp"

namespace shape_test {

using namespace qisa;
using Catch::Matchers::Contains;

TEST_CASE("a shape counts its elements and its axes from both ends", "[shape]") {
  const Shape shape = {2, 3, 5};
  CHECK(shape.rank() == 3);
  CHECK(shape.size() == 30);
  CHECK(shape[0] == 2);
  CHECK(shape[2] == 5);
  CHECK(shape[-1] == 5);
  CHECK(shape[-3] == 2);
  CHECK(shape.axis(-2) == 1);
  CHECK(shape.to_string() == "[2, 3, 5]");
  CHECK(fmt::format("{}", shape) == "[2, 3, 5]");
}

TEST_CASE("a scalar has no axes and one element, a size of 0 makes a shape of no elements", "[shape]") {
  CHECK(Shape().rank() == 0);
  CHECK(Shape().size() == 1);
  CHECK(Shape().to_string() == "[]");
  CHECK(Shape{3, 0, 2}.size() == 0);
}

TEST_CASE("shapes are equal when they have the same sizes in the same order", "[shape]") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK_FALSE(Shape{2} == Shape{2, 1});
  CHECK_FALSE(Shape{} == Shape{1});
}

TEST_CASE("with() changes one axis of a copy", "[shape]") {
  const Shape shape = {2, 3, 5};
  CHECK(shape.with(1, 7) == Shape{2, 7, 5});
  CHECK(shape.with(-1, 0) == Shape{2, 3, 0});
  CHECK(shape == Shape{2, 3, 5});
}

TEST_CASE("a shape that cannot be is refused with its sizes", "[shape]") {
  const Index huge = Index{1} << 32;
  CHECK_THROWS_WITH(Shape({2, -3}), Contains("[2, -3]") && Contains("-3 is negative"));
  CHECK_THROWS_WITH(Shape({1, 1, 1, 1, 1, 1, 1}), Contains("at most 6 axes, not 7"));
  CHECK_THROWS_WITH(Shape({huge, huge}), Contains("[4294967296, 4294967296]") && Contains("too many"));
  CHECK_THROWS_WITH(Shape({huge, 0, huge}), Contains("too many"));  // its parts would overflow
  CHECK_THROWS_WITH((Shape{2, 3}[2]), Contains("[2, 3] has no axis 2"));
  CHECK_THROWS_WITH((Shape{2, 3}[-3]), Contains("[2, 3] has no axis -3"));
  CHECK_THROWS_WITH(Shape()[0], Contains("[] has no axis 0"));
  CHECK_THROWS_AS(Shape({-1}), Error);
}

TEST_CASE("shapes broadcast when aligned sizes are equal or 1, in either order", "[shape]") {
  struct Case {
    Shape a, b, result;
  };
  const std::vector<Case> cases = {
      {{}, {}, {}},
      {{}, {2, 3}, {2, 3}},
      {{1}, {3}, {3}},
      {{3, 1}, {1, 4}, {3, 4}},
      {{4}, {2, 3, 4}, {2, 3, 4}},
      {{2, 1, 4}, {3, 1}, {2, 3, 4}},
      {{1}, {0}, {0}},
      {{0, 3}, {3}, {0, 3}},
      {{1, 1, 1, 1, 1, 2}, {5, 1}, {1, 1, 1, 1, 5, 2}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.a.to_string(), c.b.to_string());
    CHECK(broadcast("test", c.a, c.b) == c.result);
    CHECK(broadcast("test", c.b, c.a) == c.result);
  }
}

TEST_CASE("a shape broadcasts to another if that is the common shape of the two", "[shape]") {
  CHECK(broadcasts_to({}, {2, 3}));
  CHECK(broadcasts_to({3}, {2, 3}));
  CHECK(broadcasts_to({2, 1}, {2, 3}));
  CHECK(broadcasts_to({2, 3}, {2, 3}));
  CHECK(broadcasts_to({1}, {0}));
  CHECK_FALSE(broadcasts_to({2, 3}, {3}));
  CHECK_FALSE(broadcasts_to({2, 3}, {2, 1}));
  CHECK_FALSE(broadcasts_to({2}, {2, 3}));
  CHECK_FALSE(broadcasts_to({0}, {1}));
}

TEST_CASE("shapes that do not broadcast are refused, naming the operation, both shapes and the sizes", "[shape]") {
  CHECK_THROWS_WITH(broadcast("add", {2, 3}, {2, 4}),
                    Contains("[add]") && Contains("[2, 3] and [2, 4]") && Contains("sizes 3 and 4"));
  CHECK_THROWS_WITH(broadcast("add", {2, 3}, {2}), Contains("sizes 3 and 2"));
  CHECK_THROWS_WITH(broadcast("add", {0}, {2}), Contains("sizes 0 and 2"));
}

}  // namespace shape_test
