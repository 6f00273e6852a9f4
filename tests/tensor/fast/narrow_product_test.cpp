// Narrow products, against plain loops.
#include "tensor/fast/narrow_product.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/random.hpp"
#include "tests/catch.hpp"

namespace narrow_product_test {

using namespace qisa;

TEST_CASE("narrow_product sums every row and column once", "[lanes]") {
  Random random(1, Purpose::tests);
  for (const Index terms : {0, 1, 7, 16, 48}) {
    for (const Index columns : {0, 16, 48}) {
      for (const Index rows : {0, 1, 7, 8, 9, 24}) {
        CAPTURE(terms, columns, rows);
        std::vector<Real> a(static_cast<std::size_t>(rows * terms)), b(static_cast<std::size_t>(terms * columns));
        for (std::vector<Real>* numbers : {&a, &b}) {
          for (Real& number : *numbers) number = static_cast<Real>(random.uniform(-1, 1));
        }
        std::vector<int> stored(static_cast<std::size_t>(rows * columns));
        double largest = 0;
        narrow_product(a.data(), rows, terms, b.data(), columns, [&](Index i, Index c, const Lanes& sums) {
          for (Index lane = 0; lane < lane_count; ++lane) {
            ++stored.at(static_cast<std::size_t>(i * columns + c + lane));
            double expected = 0;
            for (Index k = 0; k < terms; ++k) {
              expected += static_cast<double>(a[static_cast<std::size_t>(i * terms + k)]) *
                          static_cast<double>(b[static_cast<std::size_t>(k * columns + c + lane)]);
            }
            const double difference = std::abs(static_cast<double>(sums[lane]) - expected);
            if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
          }
        });
        CHECK(largest < (sizeof(Real) == 8 ? 1e-14 : 5e-6));
        CHECK(std::count(stored.begin(), stored.end(), 1) == rows * columns);
      }
    }
  }
}

}  // namespace narrow_product_test
