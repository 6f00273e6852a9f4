// The softmax of lanes against sums in double.
#include "tensor/fast/softmax.hpp"

#include <cmath>
#include <vector>

#include "tensor/random.hpp"
#include "tests/catch.hpp"

using namespace qisa;

TEST_CASE("softmax_lanes sees the first numbers of a row only, and clears what pads it") {
  Random random(1, Purpose::tests);
  for (const Index count : {1, 2, 15, 16, 17, 32, 45}) {
    for (const double shift : {0.0, 1000.0, -1000.0}) {
      CAPTURE(count, shift);
      std::vector<Real> row(static_cast<std::size_t>(padded_to_lanes(count)) + 1, Real(1e30));
      double total = 0;
      std::vector<double> expected;
      for (Index i = 0; i < count; ++i) {
        const double x = random.uniform(-3, 3);
        row[static_cast<std::size_t>(i)] = static_cast<Real>(x + shift);
        // What was stored is a rounded sum.
        expected.push_back(std::exp(static_cast<double>(row[static_cast<std::size_t>(i)]) - shift));
        total += expected.back();
      }
      softmax_lanes(row.data(), count);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(static_cast<double>(row[i]) == Approx(expected[i] / total).epsilon(2e-6));
      }
      for (std::size_t i = expected.size(); i + 1 < row.size(); ++i) CHECK(row[i] == 0);
      CHECK(row.back() == Real(1e30));
    }
  }
}
