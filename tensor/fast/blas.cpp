#include "tensor/fast/blas.hpp"

#include <cblas.h>

#include <algorithm>

#include "tensor/fast/blas_kernel.hpp"
#include "tensor/fast/lane_transpose.hpp"
#include "tensor/fast/lanes.hpp"
#include "tensor/tensor.hpp"

namespace qisa {
namespace {

[[maybe_unused]] const bool one_thread = (openblas_set_num_threads(1), true);  // when the program starts

#ifdef QISA_DOUBLE
constexpr auto cblas_gemm = cblas_dgemm;
constexpr auto cblas_gemv = cblas_dgemv;
#else
constexpr auto cblas_gemm = cblas_sgemm;
constexpr auto cblas_gemv = cblas_sgemv;
#endif

/// The transpose of a matrix [rows, columns], its rows padded to an odd number of cache lines: with a power of two, the
/// numbers of a column would share few places of the cache. Weights come from far, as what was done with those of other
/// layers since has driven them out of the cache: the next rows are asked for while some are transposed.
Tensor transposed_copy(const Real* matrix, Index distance, Index rows, Index columns) {
  const Index groups = padded_to_lanes(rows) / lane_count, width = (groups | 1) * lane_count;  // a line each: floats
  constexpr Index line = 64 / sizeof(Real);
  Tensor result({columns, width});
  Real* to = result.data();
  for (Index row = 0; row < rows; row += lane_count) {
    const Index next = std::min(rows, row + lane_count), after = std::min(rows, next + lane_count);
    for (Index ahead = next; ahead < after; ++ahead) {
      for (Index c = 0; c < columns; c += line) __builtin_prefetch(matrix + ahead * distance + c);
    }
    rows_to_lanes(matrix + row * distance, distance, next - row, columns, to + row, width);
  }
  return result;
}

/// The product for m = 1, as op(B) transposed times the row of A, whose numbers lie `step` apart.
void multiply_row(bool transpose_b, Index n, Index k, Real alpha, const Real* a, Index step, const Real* b, Index ldb,
                  Real beta, Real* c) {
  cblas_gemv(CblasRowMajor, transpose_b ? CblasNoTrans : CblasTrans, static_cast<int>(transpose_b ? n : k),
             static_cast<int>(transpose_b ? k : n), alpha, b, static_cast<int>(ldb), a, static_cast<int>(step), beta, c,
             1);
}

/// The size of equal parts of `count`, about 64 each.
Index equal_part(Index count) {
  const Index parts = std::max<Index>(1, (count + 32) / 64);
  return (count + parts - 1) / parts;
}

/// The product, for B not transposed, cut into pieces [rows, terms] x [terms, columns] for OpenBLAS's kernels for small
/// products. What they read again and again stays in the nearest cache.
void multiply_pieces(bool transpose_a, Index m, Index n, Index k, Real alpha, const Real* a, Index lda, const Real* b,
                     Index ldb, Real beta, Real* c, Index ldc) {
  constexpr Index largest = 1'000'000;
  const bool small = m * n * k <= largest;
  const Index columns = small ? n : padded_to_lanes(equal_part(n)), terms = small ? k : equal_part(k);
  const Index rows = small ? m : std::min<Index>(128, largest / (columns * terms) / 4 * 4);
  for (Index column = 0; column < n; column += columns) {
    for (Index row = 0; row < m; row += rows) {
      Index term = 0;
      do {
        const Real* a_piece = a + term * (transpose_a ? lda : 1) + row * (transpose_a ? 1 : lda);
        blas_gemm(transpose_a, false, std::min(rows, m - row), std::min(columns, n - column), std::min(terms, k - term),
                  alpha, a_piece, lda, b + term * ldb + column, ldb, term == 0 ? beta : 1, c + row * ldc + column, ldc);
        term += terms;
      } while (term < k);
    }
  }
}

}  // namespace

void blas_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, Real alpha, const Real* a, Index lda,
               const Real* b, Index ldb, Real beta, Real* c, Index ldc) {
  const auto leading = [](Index ld) { return static_cast<int>(ld > 0 ? ld : 1); };
  cblas_gemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
             static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), alpha, a, leading(lda), b, leading(ldb),
             beta, c, leading(ldc));
}

// OpenBLAS packs its operands for large products. Its kernels for small ones, m n k up to a million, read them where
// they lie, and with AVX-512 they are faster as long as op(B) is in the second cache: so such a product is cut into
// pieces that are small enough. They are faster, too, when B is not transposed: it is copied into place if it is used
// often enough. Without such kernels a product of one row, as in writing text, is one of a matrix and a vector, for
// which nothing is packed.
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, Real alpha, const Real* a, Index lda,
          const Real* b, Index ldb, Real beta, Real* c, Index ldc) {
  if (m == 0 || n == 0) return;      // BLAS rejects leading dimensions of 0
  constexpr Index cached = 100'000;  // numbers that the second cache holds beside others
  static const bool small_kernels = sizeof(Real) == sizeof(float) && blas_has_small_kernels();
  if (m == 1 && k > 0 && !small_kernels) {  // BLAS leaves the result of no terms as it is
    multiply_row(transpose_b, n, k, alpha, a, transpose_a ? lda : 1, b, ldb, beta, c);
  } else if (!small_kernels || n * k > cached || (transpose_b && m < 4 * lane_count)) {
    blas_gemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  } else {
    const Tensor copy = transpose_b ? transposed_copy(b, ldb, n, k) : Tensor();
    multiply_pieces(transpose_a, m, n, k, alpha, a, lda, transpose_b ? copy.data() : b,
                    transpose_b ? copy.shape()[1] : ldb, beta, c, ldc);
  }
}

}  // namespace qisa
