#include "tensor/blas.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>

namespace qisa {
namespace {

[[maybe_unused]] const bool one_thread = (openblas_set_num_threads(1), true);  // when the program starts

[[maybe_unused]] void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, float alpha, const float* a,
                           int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

[[maybe_unused]] void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha, const double* a,
                           int lda, const double* b, int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace

void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, Real alpha, const Real* a, Index lda,
          const Real* b, Index ldb, Real beta, Real* c, Index ldc) {
  if (m == 0 || n == 0) return;  // BLAS rejects leading dimensions of 0
  const auto leading = [](Index ld) { return static_cast<int>(ld > 0 ? ld : 1); };
  call(transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, static_cast<int>(m),
       static_cast<int>(n), static_cast<int>(k), alpha, a, leading(lda), b, leading(ldb), beta, c, leading(ldc));
}

std::string blas_description() {
  const std::string config = openblas_get_config();  // "OpenBLAS 0.3.21 …"
  const auto version_end = config.find(' ', config.find(' ') + 1);
  return fmt::format("{}, {}", config.substr(0, version_end), openblas_get_corename());
}

std::string blas_advice() {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return blas_advice(openblas_get_corename(), avx2, __builtin_cpu_supports("avx512f"));
#else
  return "";
#endif
}

std::string blas_advice(const std::string& kernel, bool avx2, bool avx512) {
  const auto is_one_of = [&kernel](std::initializer_list<const char*> names) {
    return std::find(names.begin(), names.end(), kernel) != names.end();
  };
  const bool uses_avx512 = is_one_of({"SkylakeX", "Cooperlake", "SapphireRapids"});
  const bool uses_avx2 = uses_avx512 || is_one_of({"Haswell", "Zen", "Excavator"});
  if ((avx512 && uses_avx512) || (avx2 && !avx512 && uses_avx2) || !avx2) return "";
  // Whether wider vectors pay depends on the processor (not on AMD's Zen 4, for one), so it is for the user to try.
  return fmt::format("OpenBLAS runs its kernel for {}, but this processor has {}: try OPENBLAS_CORETYPE={}", kernel,
                     avx512 ? "AVX-512" : "AVX2", avx512 ? "SkylakeX" : "Haswell");
}

}  // namespace qisa
