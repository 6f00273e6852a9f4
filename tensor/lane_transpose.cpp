#include "tensor/lane_transpose.hpp"

#include <algorithm>

#include "tensor/lanes.hpp"

namespace qisa {

void rows_to_lanes(const Real* rows, Index stride, Index count, Index columns, Real* to, Index width) {
  for (Index c = 0; c < columns; c += lane_count) {
    const Index each = std::min(lane_count, columns - c);
    Lanes square[lane_count] = {};
    for (Index r = 0; r < count; ++r) {
      const Real* row = rows + r * stride + c;
      if (each == lane_count) {
        square[r] = lanes(row);
      } else {
        for (Index k = 0; k < each; ++k) square[r][k] = row[k];
      }
    }
    transpose(square);
    for (Index k = 0; k < each; ++k) lanes(to + (c + k) * width) = square[k];
  }
}

void lanes_to_rows(const Real* from, Index count, Index columns, Real* rows, Index stride, bool add) {
  for (Index c = 0; c < columns; c += lane_count) {
    const Index each = std::min(lane_count, columns - c);
    Lanes square[lane_count] = {};
    for (Index k = 0; k < each; ++k) square[k] = lanes(from + (c + k) * lane_count);
    transpose(square);
    for (Index r = 0; r < count; ++r) {
      Real* row = rows + r * stride + c;
      if (each < lane_count) {
        for (Index k = 0; k < each; ++k) row[k] = square[r][k] + (add ? row[k] : 0);
      } else if (add) {
        lanes(row) += square[r];
      } else {
        lanes(row) = square[r];
      }
    }
  }
}

}  // namespace qisa
