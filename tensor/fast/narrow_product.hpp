// Products of matrices that are narrow: with sixteen terms, or with few columns. BLAS spends as long on reading and
// writing the result of such a product as on its sums; here these stay in registers until they are done, and a bias or
// an activation function is applied before they are stored.
//
// The columns of the result lie in lanes (lanes.hpp). Up to eight rows are summed at a time: eight sums do not wait for
// each other, and a row of B is read once for the eight. Terms are added in their order, as BLAS does.
#pragma once

#include <algorithm>
#include <utility>

#include "tensor/fast/lane_product.hpp"

namespace qisa {

/// sum_rows() with sixteen terms, whose rows of A follow one another: written out so that the rows of B can be in
/// registers.
template <Index together, class Store>
[[gnu::always_inline]] inline void sum_rows(const Real* a, Index i, const Lanes (&b)[lane_count], Store store) {
  Lanes sums[together] = {};
  const auto add = [&](Index k) __attribute__((always_inline)) {
    for (Index r = 0; r < together; ++r) sums[r] += a[(i + r) * lane_count + k] * b[k];
  };
  [&]<std::size_t... k>(std::index_sequence<k...>) __attribute__((always_inline)) { (add(static_cast<Index>(k)), ...); }
  (std::make_index_sequence<lane_count>());
  for (Index r = 0; r < together; ++r) store(i + r, sums[r]);
}

/// Whether narrow_product() is the faster one. For 512 rows it takes, with AVX-512, 3.3 µs where BLAS takes 4.9 (16
/// terms, 32 columns), and 7.1 where BLAS takes 9.1 (64 terms, 16 columns); with AVX2 11.8 and 16.9 (16 terms, 64
/// columns), and 15.4 and 17.7. With more terms and columns BLAS is faster; so it is, with the registers that it finds
/// when it runs, where this was compiled for shorter ones than AVX's.
inline bool is_narrow(Index terms, Index columns) {
  return register_bytes >= 32 && terms % lane_count == 0 && columns % lane_count == 0 &&
         (terms == lane_count || columns == lane_count);
}

/// store(i, c, columns c to c + 15 of row i of A B) for every row i and c = 0, 16, … < columns. A is [rows, terms], B
/// [terms, columns], `columns` a multiple of sixteen.
template <class Store>
void narrow_product(const Real* a, Index rows, Index terms, const Real* b, Index columns, Store store) {
  // The sums of so many rows are in registers, and four registers are left for a row of B and numbers of A.
  constexpr Index together = std::min<Index>(8, (registers - 4) * vector_count / lane_count);
  const Index whole = rows - rows % together;
  const Factor numbers = {a, terms, 1};
  const Terms all = {0, terms};
  for (Index c = 0; c < columns; c += lane_count) {
    const auto store_row = [&](Index i, const Lanes& sums) { store(i, c, sums); };
    if (terms == lane_count) {
      Lanes own[lane_count];
      for (Index k = 0; k < lane_count; ++k) own[k] = lanes(b + k * columns + c);
      for (Index i = 0; i < whole; i += together) sum_rows<together>(a, i, own, store_row);
      for (Index i = whole; i < rows; ++i) sum_rows<1>(a, i, own, store_row);
    } else {
      for (Index i = 0; i < whole; i += together) sum_rows<together>(numbers, i, b + c, columns, all, store_row);
      for (Index i = whole; i < rows; ++i) sum_rows<1>(numbers, i, b + c, columns, all, store_row);
    }
  }
}

}  // namespace qisa
