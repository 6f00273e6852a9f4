// Products of small matrices whose sums stay in registers: where the matrices of one attention head are
// so small that a call of BLAS would cost more than their arithmetic.
//
// The columns of the result lie in lanes (lanes.hpp). Row i of it is the sum over k of the number A_ik times
// row k of B; four rows are summed at a time, so that a row of B is read once for the four.
#pragma once

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

/// store(i, sums) for rows i, i + 1, … i + together - 1: the sums over k in `terms` of A_ik times the lanes at b + k *
/// stride.
template <Index together, class Store>
[[gnu::always_inline]] inline void sum_rows(const Factor& a, Index i, const Real* b, Index stride, Terms terms,
                                            Store store) {
  Lanes sums[together] = {};
  const Real* numbers = a.data + i * a.row;
  for (Index k = terms.first; k < terms.last; ++k) {
    const Lanes row = lanes(b + k * stride);
    for (Index r = 0; r < together; ++r) sums[r] += numbers[r * a.row + k * a.column] * row;
  }
  for (Index r = 0; r < together; ++r) store(i + r, sums[r]);
}

/// store(i, c, sum over k in terms(i) of A_ik B_kc…c+15) for every row i < rows and every c = 0, 16, … < columns
/// for which wanted(i, c) holds. Both are asked once for four rows from i on, and for each of the last rows if they are
/// fewer. Rows of B lie `stride` apart.
template <class GetTerms, class Wanted, class Store>
void lane_product(const Factor& a, const Real* b, Index stride, Index rows, Index columns, GetTerms terms,
                  Wanted wanted, Store store) {
  constexpr Index together = 4;
  for (Index i = 0; i < rows;) {
    const bool whole = i + together <= rows;
    for (Index c = 0; c < columns; c += lane_count) {
      if (!wanted(i, c)) continue;
      const auto store_row = [&](Index row, const Lanes& sums) { store(row, c, sums); };
      whole ? sum_rows<together>(a, i, b + c, stride, terms(i), store_row)
            : sum_rows<1>(a, i, b + c, stride, terms(i), store_row);
    }
    i += whole ? together : 1;
  }
}

}  // namespace qisa
