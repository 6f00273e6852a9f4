// Random numbers: published vectors of Philox, moments and frequencies of a fixed seed with generous
// bounds (about five standard deviations), and independence of streams.
#include "tensor/random.hpp"

#include <cmath>
#include <set>
#include <vector>

#include "tests/catch.hpp"

namespace random_test {

using namespace qisa;

TEST_CASE("Philox4x32-10 gives the known answers of the Random123 distribution", "[random]") {
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("the same stream gives the same numbers, another seed, purpose, a or b gives others", "[random]") {
  const auto first_bits = [](Random random) { return std::vector<std::uint32_t>{random.bits(), random.bits()}; };
  const std::vector<Random> streams = {
      {1, Purpose::tests},       {2, Purpose::tests},          {std::uint64_t{1} << 32, Purpose::tests},
      {1, Purpose::batches},     {1, Purpose::dropout},        {1, Purpose::tests, 1},
      {1, Purpose::tests, 0, 1}, {1, Purpose::tests, 0, 1000}, {1, Purpose::tests, 1000, 0},
  };
  std::set<std::vector<std::uint32_t>> distinct;
  for (const Random& stream : streams) {
    CHECK(first_bits(stream) == first_bits(stream));
    distinct.insert(first_bits(stream));
  }
  CHECK(distinct.size() == streams.size());
}

TEST_CASE("a stream does not repeat itself", "[random]") {
  Random random(3, Purpose::tests);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t high = random.bits();
    seen.insert(high << 32 | random.bits());
  }
  CHECK(seen.size() == 10000);  // of 2^64 values, so a repetition by chance has probability 3e-12
}

TEST_CASE("each of the 32 bits is set in half of the numbers", "[random]") {
  Random random(4, Purpose::tests);
  constexpr int draws = 40000;
  std::vector<int> counts(32);
  for (int i = 0; i < draws; ++i) {
    const std::uint32_t bits = random.bits();
    for (std::size_t bit = 0; bit < 32; ++bit) counts[bit] += bits >> bit & 1;
  }
  for (const int count : counts) CHECK(std::abs(count - draws / 2) < 500);  // standard deviation 100
}

TEST_CASE("uniform numbers are at least 0 and below 1, evenly", "[random]") {
  Random random(5, Purpose::tests);
  constexpr int draws = 100000;
  std::vector<int> counts(20);
  double total = 0, squares = 0, lagged = 0, before = 0;
  for (int i = 0; i < draws; ++i) {
    const double u = random.uniform();
    REQUIRE((u >= 0 && u < 1));
    ++counts[static_cast<std::size_t>(u * 20)];
    total += u;
    squares += u * u;
    lagged += (u - 0.5) * (before - 0.5);
    before = u;
  }
  CHECK(total / draws == Approx(0.5).margin(0.005));                   // standard deviation 0.0009
  CHECK(squares / draws == Approx(1.0 / 3).margin(0.005));             // 0.0009
  CHECK(lagged / draws == Approx(0).margin(0.0015));                   // 0.00026
  for (const int count : counts) CHECK(std::abs(count - 5000) < 350);  // 69
}

TEST_CASE("uniform numbers of an interval stay within it and fill it", "[random]") {
  Random random(6, Purpose::tests);
  double lowest = 1e9, highest = -1e9;
  for (int i = 0; i < 10000; ++i) {
    const double x = random.uniform(-3, 5);
    lowest = std::min(lowest, x);
    highest = std::max(highest, x);
  }
  CHECK((lowest >= -3 && lowest < -2.98));
  CHECK((highest < 5 && highest > 4.98));
}

TEST_CASE("normal numbers have mean 0, variance 1, no skew, kurtosis 3 and the right tails", "[random]") {
  Random random(7, Purpose::tests);
  constexpr int draws = 200000;
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  int beyond_1 = 0, beyond_2 = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = random.normal();
    REQUIRE(std::isfinite(x));
    m1 += x;
    m2 += x * x;
    m3 += x * x * x;
    m4 += x * x * x * x;
    beyond_1 += x > 1;
    beyond_2 += x < -2;
  }
  CHECK(m1 / draws == Approx(0).margin(0.012));  // standard deviation 0.0022
  CHECK(m2 / draws == Approx(1).margin(0.017));  // 0.0032
  CHECK(m3 / draws == Approx(0).margin(0.045));  // 0.0087
  CHECK(m4 / draws == Approx(3).margin(0.12));   // 0.022
  CHECK(beyond_1 / static_cast<double>(draws) == Approx(0.158655).margin(0.0045));
  CHECK(beyond_2 / static_cast<double>(draws) == Approx(0.022750).margin(0.002));
}

TEST_CASE("below() draws every number of its range alike", "[random]") {
  Random random(8, Purpose::tests);
  for (const Index count : {1, 2, 3, 7, 10}) {
    CAPTURE(count);
    std::vector<int> counts(static_cast<std::size_t>(count));
    const int draws = 10000 * static_cast<int>(count);
    for (int i = 0; i < draws; ++i) {
      const Index value = random.below(count);
      REQUIRE((value >= 0 && value < count));
      ++counts[static_cast<std::size_t>(value)];
    }
    for (const int times : counts) CHECK(std::abs(times - 10000) < 500);  // standard deviation at most 100
  }
}

TEST_CASE("below() has no bias when its range does not divide the range of the bits", "[random]") {
  // Of 3 * 2^61 numbers, a draw of 64 bits modulo the range would give the lowest third twice as often.
  Random random(9, Purpose::tests);
  const Index third = Index{1} << 61;
  std::vector<int> counts(3);
  for (int i = 0; i < 30000; ++i) ++counts[static_cast<std::size_t>(random.below(3 * third) / third)];
  for (const int count : counts) CHECK(std::abs(count - 10000) < 450);  // standard deviation 82
}

}  // namespace random_test
