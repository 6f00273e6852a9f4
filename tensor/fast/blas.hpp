// Matrix products: the one place that calls BLAS.
//
// BLAS runs in the calling thread only: the program itself splits its work over threads (nn/training/workers.hpp).
#pragma once

#include "tensor/real.hpp"

namespace qisa {

/// C = alpha op(A) op(B) + beta C, all row-major; op transposes if asked to.
/// Shapes: op(A) [m, k], op(B) [k, n], C [m, n]. `lda`, `ldb`, `ldc` are the distances between the
/// rows of A, B and C as they lie in memory. With beta = 0, C is not read.
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, Real alpha, const Real* a, Index lda,
          const Real* b, Index ldb, Real beta, Real* c, Index ldc);

/// The same by one call of BLAS, which need not be the fastest way; m and n at least 1.
void blas_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, Real alpha, const Real* a, Index lda,
               const Real* b, Index ldb, Real beta, Real* c, Index ldc);

}  // namespace qisa
