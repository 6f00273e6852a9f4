// Between rows, one a token, and lanes, one a token: transposing sixteen rows at a time.
#pragma once

#include "tensor/real.hpp"

namespace qisa {

/// Column c of `count` <= 16 rows, `stride` apart, becomes the sixteen lanes at to + c * width; lanes without a row
/// are 0.
void rows_to_lanes(const Real* rows, Index stride, Index count, Index columns, Real* to, Index width);

/// The way back: sets `count` <= 16 rows, or adds to them, from the lanes at from + 16 c.
void lanes_to_rows(const Real* from, Index count, Index columns, Real* rows, Index stride, bool add = false);

}  // namespace qisa
