#include "tensor/fast/blas_kernel.hpp"

#include "tests/catch.hpp"

namespace blas_kernel_test {

using namespace qisa;

TEST_CASE("BLAS describes itself by name, version and processor", "[blas]") {
  CHECK_THAT(blas_description(), Catch::Matchers::Matches("OpenBLAS [0-9]+[.][0-9]+.*, [A-Za-z0-9_]+"));
}

TEST_CASE("A kernel is better when it uses more of the processor's vector instructions", "[blas]") {
  CHECK(better_blas_kernel("Prescott", false, false).empty());
  CHECK(better_blas_kernel("Haswell", true, false).empty());
  CHECK(better_blas_kernel("Zen", true, false).empty());
  CHECK(better_blas_kernel("Cooperlake", true, true).empty());
  CHECK(better_blas_kernel("Prescott", true, false) == "Haswell");
  CHECK(better_blas_kernel("Prescott", true, true) == "SkylakeX");
  CHECK(better_blas_kernel("Haswell", true, true) == "SkylakeX");
}

}  // namespace blas_kernel_test
