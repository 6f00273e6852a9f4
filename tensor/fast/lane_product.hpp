// Products of small matrices whose sums stay in registers: where the matrices of one attention head are
// so small that a call of BLAS would cost more than their arithmetic.
//
// The columns of the result lie in lanes (lanes.hpp). Row i of it is the sum over k of the number A_ik times
// row k of B; four rows are summed at a time, so that a row of B is read once for the four.
#pragma once

#include <algorithm>

#include "tensor/fast/lanes.hpp"

namespace qisa {

/// A matrix read number by number: A_ik = data[i * row + k * column]. Its transpose swaps the two steps.
struct Factor {
  const Real* data;
  Index row, column;
};

/// A range of k.
struct Terms {
  Index first, last;  // last is not part of it
};

/// store(i, c, sum over k in terms(i) of A_ik B_kc…c+15) for every row i < rows and every c = 0, 16, … < columns
/// for which wanted(i, c) holds. Both are asked once for the four rows from i on. Rows of B lie `stride` apart.
template <class GetTerms, class Wanted, class Store>
void lane_product(const Factor& a, const Real* b, Index stride, Index rows, Index columns, GetTerms terms,
                  Wanted wanted, Store store) {
  for (Index i = 0; i < rows; i += 4) {
    const Index count = std::min<Index>(4, rows - i);
    const auto [first, last] = terms(i);
    // Rows that are not there are taken for the last one; their sums are dropped.
    const Real* a0 = a.data + i * a.row;
    const Real *a1 = a0 + std::min<Index>(1, count - 1) * a.row, *a2 = a0 + std::min<Index>(2, count - 1) * a.row,
               *a3 = a0 + (count - 1) * a.row;
    for (Index c = 0; c < columns; c += lane_count) {
      if (!wanted(i, c)) continue;
      Lanes s0{}, s1{}, s2{}, s3{};
      for (Index k = first; k < last; ++k) {
        const Lanes row = lanes(b + k * stride + c);
        const Index at = k * a.column;
        s0 += a0[at] * row;
        s1 += a1[at] * row;
        s2 += a2[at] * row;
        s3 += a3[at] * row;
      }
      store(i, c, s0);
      if (count > 1) store(i + 1, c, s1);
      if (count > 2) store(i + 2, c, s2);
      if (count > 3) store(i + 3, c, s3);
    }
  }
}

}  // namespace qisa
