#include "tensor/lane_transpose.hpp"

#include <algorithm>

#include "tensor/lanes.hpp"

namespace qisa {

// Whole squares of 16 x 16 numbers have a path of their own, in which all loops are of constant length, so that the
// square stays in registers.
void rows_to_lanes(const Real* rows, Index stride, Index count, Index columns, Real* to, Index width) {
  for (Index c = 0; c < columns; c += lane_count) {
    const Index each = std::min(lane_count, columns - c);
    if (count == lane_count && each == lane_count) {
      Lanes square[lane_count];
      for (Index r = 0; r < lane_count; ++r) square[r] = lanes(rows + r * stride + c);
      transpose(square);
      for (Index k = 0; k < lane_count; ++k) lanes(to + (c + k) * width) = square[k];
    } else {
      for (Index k = c; k < c + each; ++k) {
        for (Index r = 0; r < lane_count; ++r) to[k * width + r] = r < count ? rows[r * stride + k] : 0;
      }
    }
  }
}

void lanes_to_rows(const Real* from, Index count, Index columns, Real* rows, Index stride, bool add) {
  for (Index c = 0; c < columns; c += lane_count) {
    const Index each = std::min(lane_count, columns - c);
    if (count == lane_count && each == lane_count) {
      Lanes square[lane_count];
      for (Index k = 0; k < lane_count; ++k) square[k] = lanes(from + (c + k) * lane_count);
      transpose(square);
      for (Index r = 0; r < lane_count; ++r) {
        Lanes& row = lanes(rows + r * stride + c);
        row = add ? row + square[r] : square[r];
      }
    } else {
      for (Index r = 0; r < count; ++r) {
        for (Index k = c; k < c + each; ++k) {
          Real& number = rows[r * stride + k];
          number = from[k * lane_count + r] + (add ? number : 0);
        }
      }
    }
  }
}

}  // namespace qisa
