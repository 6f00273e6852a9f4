#include "tensor/fast/lane_transpose.hpp"

#include <algorithm>

#include "tensor/fast/lane_transpose_four.hpp"

namespace qisa {
namespace {

// Whole squares, each in a function of its own: what one needs would crowd the registers of the others.

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

}  // namespace

void rows_to_lanes(const Real* rows, Index stride, Index count, Index columns, Real* to, Index width) {
  for (Index c = 0; c < columns; c += lane_count) {
    const bool is_square = count == lane_count && c + lane_count <= columns;
    if (is_square) square_to_lanes(rows + c, stride, to + c * width, width);
    for (Index k = c; !is_square && k < std::min(columns, c + lane_count); ++k) {
      for (Index r = 0; r < lane_count; ++r) to[k * width + r] = r < count ? rows[r * stride + k] : 0;
    }
  }
}

void lanes_to_rows(const Real* from, Index count, Index columns, Real* rows, Index stride, bool add) {
  for (Index c = 0; c < columns; c += lane_count) {
    const bool is_square = count == lane_count && c + lane_count <= columns;
    if (is_square) (add ? square_to_rows<true> : square_to_rows<false>)(from + c * lane_count, rows + c, stride);
    for (Index r = 0; !is_square && r < count; ++r) {
      for (Index k = c; k < std::min(columns, c + lane_count); ++k) {
        rows[r * stride + k] = from[k * lane_count + r] + (add ? rows[r * stride + k] : 0);
      }
    }
  }
}

}  // namespace qisa
