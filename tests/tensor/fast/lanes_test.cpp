// Sixteen numbers at a time, against one at a time.
#include "tensor/fast/lanes.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tensor/fast/lane_product.hpp"
#include "tensor/random.hpp"
#include "tests/catch.hpp"

namespace lanes_test {

using namespace qisa;

std::vector<Real> draw(Index count) {
  Random random(1, Purpose::tests);
  std::vector<Real> numbers(static_cast<std::size_t>(count));
  for (Real& number : numbers) number = static_cast<Real>(random.uniform(-1, 1));
  return numbers;
}

TEST_CASE("sum and largest find every lane", "[lanes]") {
  for (Index lane = 0; lane < lane_count; ++lane) {
    Lanes v{};
    v -= 1;
    v[lane] = 3;
    CHECK(sum(v) == 3 - 15);
    CHECK(largest(v) == 3);
  }
}

TEST_CASE("arithmetic works on every lane", "[lanes]") {
  const std::vector<Real> a = draw(lane_count), b = draw(lane_count + 1);
  const Lanes u = lanes(a.data()), v = lanes(b.data() + 1);
  constexpr Real two = 2;
  Lanes added = u, subtracted = u, multiplied = u, lowered = u, doubled = u;
  added += v;
  subtracted -= v;
  multiplied *= v;
  lowered -= two;
  doubled *= two;
  for (Index lane = 0; lane < lane_count; ++lane) {
    const Real x = a[static_cast<std::size_t>(lane)], y = b[static_cast<std::size_t>(lane + 1)];
    CHECK((u + v)[lane] == x + y);
    CHECK((u - v)[lane] == x - y);
    CHECK((u * v)[lane] == x * y);
    CHECK((u + two)[lane] == x + 2);
    CHECK((u - two)[lane] == x - 2);
    CHECK((u * two)[lane] == 2 * x);
    CHECK((two * u)[lane] == 2 * x);
    CHECK(added[lane] == x + y);
    CHECK(subtracted[lane] == x - y);
    CHECK(multiplied[lane] == x * y);
    CHECK(lowered[lane] == x - 2);
    CHECK(doubled[lane] == 2 * x);
  }
}

TEST_CASE("larger chooses lane by lane, and the second where there is a NaN", "[lanes]") {
  Lanes a = Lanes{} + 1, b = Lanes{} + 2;
  a[5] = 3;
  a[14] = std::numeric_limits<Real>::quiet_NaN();
  const Lanes v = larger(a, b);
  for (Index lane = 0; lane < lane_count; ++lane) CHECK(v[lane] == (lane == 5 ? 3 : 2));
  CHECK(std::isnan(larger(b, a)[14]));
}

TEST_CASE("first_lanes keeps as many lanes as asked", "[lanes]") {
  for (const Index count : {0, 1, 7, 16}) {
    const Lanes v = first_lanes(Lanes{} + 5, count, -2);
    for (Index lane = 0; lane < lane_count; ++lane) CHECK(v[lane] == (lane < count ? 5 : -2));
  }
}

TEST_CASE("a row of any length is read and written in groups of lanes, and nothing beyond it", "[lanes]") {
  for (const Index count : {0, 1, 15, 16, 17, 32, 45}) {
    CAPTURE(count);
    const std::vector<Real> x = draw(count);  // no number lies after them
    std::vector<Real> y(static_cast<std::size_t>(padded_to_lanes(count) + lane_count), -1);
    double padding = 0;
    for_each_group(count, [&](Index i, auto each) {
      const Lanes read = load_lanes(x.data() + i, each);
      for (Index lane = each; lane < lane_count; ++lane) padding += std::abs(static_cast<double>(read[lane]));
      store_lanes(y.data() + i, read + 3, each);
    });
    CHECK(padding == 0);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == (i < x.size() ? x[i] + 3 : -1));
  }
}

TEST_CASE("lane_product sums the asked terms for the wanted columns, for each row once", "[lanes]") {
  constexpr Index inner = 7, columns = 48, stride = 50;
  const std::vector<Real> a = draw(11 * inner), b = draw(inner * stride);
  for (const bool transposed : {false, true}) {
    for (const Index rows : {1, 2, 3, 4, 5, 11}) {
      CAPTURE(transposed, rows);
      std::vector<int> stored(static_cast<std::size_t>(rows * columns / lane_count));
      const Factor factor = transposed ? Factor{a.data(), 1, 11} : Factor{a.data(), inner, 1};
      const auto first = [](Index i) { return i / 4; };
      lane_product(
          factor, b.data(), stride, rows, columns,
          [&](Index i) {
            return Terms{first(i), inner - 1};
          },
          [](Index i, Index c) { return c != 16 || i < 4; },
          [&](Index i, Index c, const Lanes& sums) {
            ++stored[static_cast<std::size_t>((i * columns + c) / lane_count)];
            for (Index lane = 0; lane < lane_count; ++lane) {
              double expected = 0;
              for (Index k = first(i / 4 * 4); k < inner - 1; ++k) {
                const Index at = transposed ? k * 11 + i : i * inner + k;
                expected += static_cast<double>(a[static_cast<std::size_t>(at)]) *
                            static_cast<double>(b[static_cast<std::size_t>(k * stride + c + lane)]);
              }
              CHECK(static_cast<double>(sums[lane]) == Approx(expected).margin(1e-6));
            }
          });
      for (Index i = 0; i < rows; ++i) {
        for (Index c = 0; c < columns; c += lane_count) {
          CHECK(stored[static_cast<std::size_t>((i * columns + c) / lane_count)] == (c != 16 || i < 4 ? 1 : 0));
        }
      }
    }
  }
}

}  // namespace lanes_test
