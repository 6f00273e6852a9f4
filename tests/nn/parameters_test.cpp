// The flat buffer of trained numbers: names, places, starting values.
#include "nn/parameters.hpp"

#include <cmath>
#include <set>

#include "tests/catch.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

TEST_CASE("Parameters lie one after the other in the order in which they were added") {
  Parameters parameters;
  const Parameter a = parameters.add("a", {2, 3}, Initial::constant(1));
  const Parameter b = parameters.add({3, 2}, {{"b.0", {1, 2}}, {"b.1", {2, 2}}}, Initial::constant(2));
  const Parameter c = parameters.add("c", {}, Initial::constant(3));
  parameters.initialize(0);
  CHECK(a.offset == 0);
  CHECK(b.offset == 6);
  CHECK(b.shape == Shape{3, 2});
  CHECK(c.offset == 12);
  REQUIRE(parameters.size() == 13);
  REQUIRE(parameters.values().shape() == Shape{13});
  for (Index i = 0; i < 13; ++i) CHECK(parameters.values()[i] == (i < 6 ? 1 : i < 12 ? 2 : 3));

  std::vector<std::string> names;
  std::vector<Index> offsets;
  for (const NamedParameter& part : parameters.names()) {
    names.push_back(part.name);
    offsets.push_back(part.offset);
  }
  CHECK(names == std::vector<std::string>{"a", "b.0", "b.1", "c"});
  CHECK(offsets == std::vector<Index>{0, 6, 8, 12});
}

TEST_CASE("A part by name is a view of any flat buffer") {
  Parameters parameters;
  parameters.add("first", {2}, Initial::constant(0));
  parameters.add("second", {2, 2}, Initial::constant(0));
  parameters.initialize(0);
  const Tensor flat({6}, {0, 1, 2, 3, 4, 5});
  Tensor part = parameters.part(flat, "second");
  CHECK(part.shape() == Shape{2, 2});
  CHECK(part[3] == 5);
  part[0] = 7;
  CHECK(flat[2] == 7);
  check_error(error_of([&] { parameters.part(flat, "third"); }), "third");
}

TEST_CASE("Starting values are drawn from the distribution that was asked for") {
  constexpr Index count = 40'000;
  Parameters parameters;
  parameters.add("uniform", {count}, Initial::uniform(0.5));
  parameters.add("normal", {count}, Initial::normal(2));
  parameters.initialize(3);
  for (const char* name : {"uniform", "normal"}) {
    const bool is_uniform = std::string(name) == "uniform";
    double sum = 0, squares = 0, largest = 0;
    std::set<Real> distinct;
    const Tensor values = parameters.part(parameters.values(), name);
    for (const Real value : values.values()) {
      const double x = static_cast<double>(value);
      sum += x;
      squares += x * x;
      largest = std::max(largest, std::abs(x));
      distinct.insert(value);
    }
    const double deviation = is_uniform ? 0.5 / std::sqrt(3.0) : 2;
    INFO(name);
    CHECK(std::abs(sum / count) < 5 * deviation / std::sqrt(count));
    CHECK(std::sqrt(squares / count) == Approx(deviation).epsilon(0.02));
    CHECK((is_uniform ? largest > 0.499 && largest <= 0.5 : largest > 6 && largest < 12));
    CHECK(distinct.size() > count * 9 / 10);
  }
}

TEST_CASE("Starting values are a function of the seed, other for every parameter") {
  const auto values = [](std::uint64_t seed) {
    Parameters parameters;
    parameters.add("a", {50}, Initial::normal(1));
    parameters.add("b", {50}, Initial::normal(1));
    parameters.initialize(seed);
    const auto all = parameters.values().values();
    return std::vector<Real>(all.begin(), all.end());
  };
  const std::vector<Real> one = values(1);
  CHECK(one == values(1));
  CHECK(one != values(2));
  CHECK_FALSE(std::equal(one.begin(), one.begin() + 50, one.begin() + 50));
}

TEST_CASE("Parameters refuse names that are taken, parts that do not fill the shape, and late additions") {
  Parameters parameters;
  parameters.add("weight", {2, 2}, Initial::constant(0));
  check_error(error_of([&] { parameters.add("weight", {1}, Initial::constant(0)); }), "weight");
  check_error(error_of([&] {
                Parameters others;
                others.add({2, 3}, {{"x", {1, 3}}, {"y", {2}}}, Initial::constant(0));
              }),
              "[2, 3]");
  check_error(error_of([&] {
                Parameters others;
                others.add({2}, {{"x", {1}}, {"x", {1}}}, Initial::constant(0));
              }),
              "x");
  parameters.initialize(0);
  CHECK_THROWS_AS(parameters.add("late", {1}, Initial::constant(0)), Error);
}
