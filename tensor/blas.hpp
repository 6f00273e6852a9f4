// Matrix products: the one place that calls BLAS.
//
// BLAS runs in the calling thread only: the program itself splits its work over threads (nn/workers.hpp).
#pragma once

#include <string>

#include "tensor/real.hpp"

namespace qisa {

/// C = alpha op(A) op(B) + beta C, all row-major; op transposes if asked to.
/// Shapes: op(A) [m, k], op(B) [k, n], C [m, n]. `lda`, `ldb`, `ldc` are the distances between the
/// rows of A, B and C as they lie in memory. With beta = 0, C is not read.
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, Real alpha, const Real* a, Index lda,
          const Real* b, Index ldb, Real beta, Real* c, Index ldc);

/// What BLAS this is and which processor's kernel it chose, for example "OpenBLAS 0.3.21, SkylakeX".
std::string blas_description();

/// One line on what to do when OpenBLAS runs kernels that use fewer vector instructions than this processor has;
/// empty when there is nothing to do.
std::string blas_advice();
/// The same for a kernel of the given name on a processor with AVX2 and FMA, or with AVX-512 too, or with neither.
std::string blas_advice(const std::string& kernel, bool avx2, bool avx512);

}  // namespace qisa
