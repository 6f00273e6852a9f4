// The vectorisable exponential against the standard library's in double.
#include "tensor/fast/exponential.hpp"

#include <limits>
#include <vector>

#include "tests/catch.hpp"

using namespace qisa;

TEST_CASE("the float exponential is within 2e-7 of exp over its whole range") {
  double worst = 0;
  std::size_t compared = 0;
  for (float x = -87.2f; x < 88.36f; x += 1e-4f, ++compared) {
    worst = std::max(worst, std::abs(static_cast<double>(exponential(x)) / std::exp(static_cast<double>(x)) - 1));
  }
  CHECK(compared > 1'000'000);
  CHECK(worst < 2e-7);
}

TEST_CASE("the float exponential is exact at 0 and at the ends") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  CHECK(exponential(0.0f) == 1);
  CHECK(exponential(-infinity) == 0);
  CHECK(exponential(-1000.0f) == 0);
  CHECK(exponential(infinity) == infinity);
  CHECK(exponential(1000.0f) == infinity);
  CHECK(std::isnan(exponential(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("a loop of exponentials has the same bits as single ones") {
  std::vector<float> x(1003), y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = -80 + 0.157f * static_cast<float>(i);
#pragma omp simd
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = exponential(x[i]);
  for (std::size_t i = 0; i < x.size(); ++i) {
    volatile float single = x[i];  // keeps this loop scalar
    REQUIRE(y[i] == exponential(single));
  }
}

TEST_CASE("the exponential of lanes is that of each of them, bit for bit") {
  constexpr Real infinity = std::numeric_limits<Real>::infinity();
  for (const Real first : {Real(-95), Real(-40), Real(-1), Real(80)}) {
    Lanes x;
    for (Index lane = 0; lane < lane_count; ++lane) x[lane] = first + Real(1.37) * static_cast<Real>(lane);
    x[3] = -infinity;
    x[9] = infinity;
    const Lanes y = exponential(x);
    for (Index lane = 0; lane < lane_count; ++lane) CHECK(y[lane] == exponential(x[lane]));
  }
}
