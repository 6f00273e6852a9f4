#include "tensor/fast/blas_kernel.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <tuple>

// OpenBLAS chooses its kernel in the first of these, once; after the second it can choose anew. They are in no header
// of its own, and in no OpenBLAS that is built for one kind of processor.
extern "C" {
[[gnu::weak]] void gotoblas_dynamic_init();
[[gnu::weak]] void gotoblas_dynamic_quit();
}

namespace qisa {
namespace {

bool uses_avx512(const std::string& kernel) {
  return kernel == "SkylakeX" || kernel == "Cooperlake" || kernel == "SapphireRapids";
}

bool uses_avx2(const std::string& kernel) {
  return uses_avx512(kernel) || kernel == "Haswell" || kernel == "Zen" || kernel == "Excavator";
}

#if defined(__x86_64__)
bool processor_has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
/// Whether it has what the kernel SkylakeX uses of AVX-512.
bool processor_has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
bool processor_has_avx2() { return false; }
bool processor_has_avx512() { return false; }
#endif

std::string better_than_running_kernel() {
  return better_blas_kernel(openblas_get_corename(), processor_has_avx2(), processor_has_avx512());
}

bool choose_kernel() {
  constexpr const char* variable = "OPENBLAS_CORETYPE";
  const std::string better = better_than_running_kernel();
  if (better.empty() || std::getenv(variable) || !gotoblas_dynamic_init || !gotoblas_dynamic_quit) return false;
  setenv(variable, better.c_str(), 0);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv(variable);
  return true;
}

[[maybe_unused]] const bool chosen = choose_kernel();  // when the program starts, before any product

}  // namespace

std::string blas_description() {
  const std::string config = openblas_get_config();  // "OpenBLAS 0.3.21 …"
  const auto version_end = config.find(' ', config.find(' ') + 1);
  return fmt::format("{}, {}", config.substr(0, version_end), openblas_get_corename());
}

std::string better_blas_kernel(const std::string& kernel, bool avx2, bool avx512) {
  if (avx512 && !uses_avx512(kernel)) return "SkylakeX";
  if (avx2 && !uses_avx2(kernel)) return "Haswell";
  return "";
}

std::string blas_advice() {
  const std::string kernel = openblas_get_corename(), better = better_than_running_kernel();
  if (better.empty()) return "";
  return fmt::format("OpenBLAS runs its kernel for {}, but this processor has {}: try OPENBLAS_CORETYPE={}", kernel,
                     uses_avx512(better) ? "AVX-512" : "AVX2", better);
}

bool blas_has_small_kernels() {
  int major = 0, minor = 0, patch = 0;
  const bool known = std::sscanf(openblas_get_config(), "OpenBLAS %d.%d.%d", &major, &minor, &patch) == 3;
  return known && std::tuple(major, minor, patch) >= std::tuple(0, 3, 17) && uses_avx512(openblas_get_corename());
}

}  // namespace qisa
