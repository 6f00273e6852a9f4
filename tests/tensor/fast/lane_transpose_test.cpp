// Rows to lanes and back, number by number.
#include "tensor/fast/lane_transpose.hpp"

#include <vector>

#include "tensor/fast/lanes.hpp"
#include "tests/catch.hpp"

namespace lane_transpose_test {

using namespace qisa;

/// `count` numbers, each different: 1, 2, 3, …
std::vector<Real> numbers(Index count) {
  std::vector<Real> result(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<Real>(i + 1);
  return result;
}

constexpr Real untouched = -1;

TEST_CASE("rows_to_lanes moves every number to its place, and sets lanes without a row to 0", "[lanes]") {
  for (const Index count : {1, 2, 7, 15, 16}) {
    for (const Index columns : {1, 3, 15, 16, 17, 32, 40}) {
      CAPTURE(count, columns);
      const Index stride = columns + 3, width = lane_count + 2;
      const std::vector<Real> rows = numbers(count * stride);
      std::vector<Real> to(static_cast<std::size_t>(columns * width), untouched);
      rows_to_lanes(rows.data(), stride, count, columns, to.data(), width);
      bool right = true, kept = true;
      for (Index c = 0; c < columns; ++c) {
        for (Index r = 0; r < width; ++r) {
          const Real number = to[static_cast<std::size_t>(c * width + r)];
          if (r >= lane_count) {
            kept = kept && number == untouched;
          } else {
            right = right && number == (r < count ? static_cast<Real>(r * stride + c + 1) : 0);
          }
        }
      }
      CHECK(right);
      CHECK(kept);
    }
  }
}

TEST_CASE("lanes_to_rows moves every number back, or adds it, and touches nothing else", "[lanes]") {
  for (const bool add : {false, true}) {
    for (const Index count : {1, 2, 7, 15, 16}) {
      for (const Index columns : {1, 3, 15, 16, 17, 32, 40}) {
        CAPTURE(add, count, columns);
        const Index stride = columns + 3;
        const std::vector<Real> from = numbers(columns * lane_count);
        std::vector<Real> rows(static_cast<std::size_t>(count * stride), untouched);
        lanes_to_rows(from.data(), count, columns, rows.data(), stride, add);
        bool right = true, kept = true;
        for (Index r = 0; r < count; ++r) {
          for (Index c = 0; c < stride; ++c) {
            const Real number = rows[static_cast<std::size_t>(r * stride + c)];
            if (c >= columns) {
              kept = kept && number == untouched;
            } else {
              right = right && number == static_cast<Real>(c * lane_count + r + 1) + (add ? untouched : 0);
            }
          }
        }
        CHECK(right);
        CHECK(kept);
      }
    }
  }
}

}  // namespace lane_transpose_test
