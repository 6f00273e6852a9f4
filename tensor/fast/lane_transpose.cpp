#include "tensor/fast/lane_transpose.hpp"

#include <algorithm>

#include "tensor/fast/lane_transpose_four.hpp"

namespace qisa {
namespace {

// Functions of their own, as what one needs would crowd the registers of the others. First for whole squares:

[[gnu::noinline]] void square_to_lanes(const Real* rows, Index stride, Real* to, Index width) {
  for (Index k = 0; k < lane_count; k += 4) {
    transpose_four(rows + k, stride, [&](Index i, const Lanes& column) { lanes(to + (k + i) * width) = column; });
  }
}

template <bool add>
[[gnu::noinline]] void square_to_rows(const Real* from, Real* rows, Index stride) {
  for (Index r = 0; r < lane_count; r += 4) {
    transpose_four(from + r, lane_count, [&](Index i, const Lanes& numbers) {
      Lanes& row = lanes(rows + (r + i) * stride);
      row = add ? row + numbers : numbers;
    });
  }
}

// Squares of which a part is missing: `each` numbers of `count` rows.

[[gnu::noinline]] void part_to_lanes(const Real* rows, Index stride, Index count, Index each, Real* to, Index width) {
  for (Index k = 0; k < each; ++k) {
    for (Index r = 0; r < lane_count; ++r) to[k * width + r] = r < count ? rows[r * stride + k] : 0;
  }
}

[[gnu::noinline]] void part_to_rows(const Real* from, Index count, Index each, Real* rows, Index stride, bool add) {
  for (Index r = 0; r < count; ++r) {
    for (Index k = 0; k < each; ++k) {
      Real& number = rows[r * stride + k];
      number = from[k * lane_count + r] + (add ? number : 0);
    }
  }
}

/// square(c) or part(c, each) for columns c to c + each - 1, sixteen or what remains, of `count` rows.
template <class Square, class Part>
void for_each_square(Index count, Index columns, Square square, Part part) {
  for (Index c = 0; c < columns; c += lane_count) {
    const Index each = std::min(lane_count, columns - c);
    count == lane_count&& each == lane_count ? square(c) : part(c, each);
  }
}

}  // namespace

void rows_to_lanes(const Real* rows, Index stride, Index count, Index columns, Real* to, Index width) {
  for_each_square(
      count, columns, [&](Index c) { square_to_lanes(rows + c, stride, to + c * width, width); },
      [&](Index c, Index each) { part_to_lanes(rows + c, stride, count, each, to + c * width, width); });
}

void lanes_to_rows(const Real* from, Index count, Index columns, Real* rows, Index stride, bool add) {
  const auto square = add ? square_to_rows<true> : square_to_rows<false>;
  for_each_square(
      count, columns, [&](Index c) { square(from + c * lane_count, rows + c, stride); },
      [&](Index c, Index each) { part_to_rows(from + c * lane_count, count, each, rows + c, stride, add); });
}

}  // namespace qisa
