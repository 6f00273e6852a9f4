// Dropout masks: their rate, what determines them, and that neighbours and streams are independent (with bounds
// of about five standard deviations for fixed seeds).
#include "tensor/fast/dropout_mask.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace dropout_mask_test {

using namespace qisa;

/// The factor of number i.
Real factor(const DropoutMask& mask, Index i) { return mask.factors(i - i % lane_count)[i % lane_count]; }

std::vector<Real> mask(DropoutStream stream, Index count, Real dropped) {
  const DropoutMask factors(stream, count, dropped);
  std::vector<Real> result;
  for (Index i = 0; i < count; ++i) result.push_back(factor(factors, i));
  return result;
}

TEST_CASE("a dropout mask is 0 at the asked rate and otherwise exactly 1 / (1 - rate)", "[dropout]") {
  for (const double rate : {0.1, 0.2, 0.5, 0.9}) {
    CAPTURE(rate);
    const auto dropped = static_cast<Real>(rate);
    const Real kept = 1 / (1 - dropped);
    // So many that the share's standard deviation is 0.07 % of the rate; a rate that is 0.4 % off is seen.
    const auto count = static_cast<Index>(2e6 * (1 - rate) / rate);
    DropoutStream stream{10, 0, 0};
    const DropoutMask factors(stream, count, dropped);
    Index zeros = 0, others = 0;
    for (Index i = 0; i < count; ++i) {
      const Real value = factor(factors, i);
      zeros += value == 0;
      others += value != 0 && value != kept;
    }
    CHECK(others == 0);
    CHECK(static_cast<double>(zeros) / static_cast<double>(count) == Approx(rate).epsilon(0.002));
  }
}

TEST_CASE("a shorter dropout mask is the beginning of a longer one", "[dropout]") {
  const DropoutStream stream{11, 12, 13};
  const std::vector<Real> longest = mask(stream, 1000, Real(0.3));
  for (const Index count : {0, 1, 7, 8, 15, 16, 17, 127, 128, 129, 255, 256, 500, 999}) {
    CAPTURE(count);
    const std::vector<Real> shorter = mask(stream, count, Real(0.3));
    CHECK(std::equal(shorter.begin(), shorter.end(), longest.begin()));
  }
}

TEST_CASE("a mask multiplies every number by its factor and writes none beyond the count", "[dropout]") {
  for (const Index count : {0, 1, 15, 16, 17, 130, 513}) {
    CAPTURE(count);
    DropoutStream stream{5, 6, 7};
    const DropoutMask factors(stream, count, Real(0.5));
    std::vector<Real> x(static_cast<std::size_t>(count) + 20), base(x.size()), product(x.size(), -1), sum(x.size(), -1);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<Real>(i) + Real(0.5);
      base[i] = Real(0.25) * static_cast<Real>(i);
    }
    factors.multiply(x.data(), product.data());
    factors.multiply(x.data(), sum.data(), base.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto index = static_cast<Index>(i);
      CHECK(product[i] == (index < count ? factor(factors, index) * x[i] : -1));
      CHECK(sum[i] == (index < count ? base[i] + factor(factors, index) * x[i] : -1));
    }
  }
}

/// The share of elements in which two masks of rate 1/2 agree; 1/2 for independent masks.
double agreement(const std::vector<Real>& a, const std::vector<Real>& b, std::size_t lag = 0) {
  double equal = 0;
  for (std::size_t i = 0; i + lag < a.size(); ++i) equal += a[i + lag] == b[i];
  return equal / static_cast<double>(a.size() - lag);
}

TEST_CASE("masks of another seed, step, shard or number are independent", "[dropout]") {
  constexpr Index count = 40000;
  const std::vector<Real> base = mask({1, 2, 3, 4}, count, Real(0.5));
  CHECK(agreement(base, mask({1, 2, 3, 4}, count, Real(0.5))) == 1);
  const std::vector<DropoutStream> others = {
      {2, 2, 3, 4}, {1, 3, 3, 4}, {1, 2, 4, 4}, {1, 2, 3, 5}, {1, 3, 2, 4}, {1, 2, 4, 3}, {1, 4, 3, 2},
  };
  for (const DropoutStream& other : others) {
    CHECK(agreement(base, mask(other, count, Real(0.5))) == Approx(0.5).margin(0.0125));  // 5 deviations
  }
}

TEST_CASE("elements of a mask are independent of their neighbours", "[dropout]") {
  const std::vector<Real> base = mask({5}, 40000, Real(0.5));
  for (std::size_t lag = 1; lag <= 300; ++lag) {
    CAPTURE(lag);
    CHECK(agreement(base, base, lag) == Approx(0.5).margin(0.0125));
  }
}

TEST_CASE("a stream's masks come one after the other", "[dropout]") {
  DropoutStream stream{1, 2, 3};
  const DropoutMask first(stream, 300, Real(0.5)), second(stream, 300, Real(0.5));
  CHECK(stream.next_mask == 2);
  const std::vector<Real> number_0 = mask({1, 2, 3, 0}, 300, Real(0.5)), number_1 = mask({1, 2, 3, 1}, 300, Real(0.5));
  for (Index i = 0; i < 300; ++i) {
    CHECK(factor(first, i) == number_0[static_cast<std::size_t>(i)]);
    CHECK(factor(second, i) == number_1[static_cast<std::size_t>(i)]);
  }
}

}  // namespace dropout_mask_test
