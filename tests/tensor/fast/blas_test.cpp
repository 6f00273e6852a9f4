// Matrix products against three loops in double precision.
#include "tensor/fast/blas.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/random.hpp"
#include "tests/catch.hpp"

namespace blas_test {

using namespace qisa;

constexpr double tolerance = sizeof(Real) == 8 ? 1e-13 : 1e-5;

/// A matrix in memory with more room in a row than it has columns; the room holds NaN, which spoils
/// any product that reads it.
struct PaddedMatrix {
  Index rows, columns, stride;
  std::vector<Real> values;

  PaddedMatrix(Index rows_, Index columns_, Index padding, Random& random)
      : rows(rows_), columns(columns_), stride(columns_ + padding), values(static_cast<std::size_t>(rows * stride)) {
    for (Index row = 0; row < rows; ++row) {
      for (Index column = 0; column < stride; ++column) {
        at(row, column) = column < columns ? static_cast<Real>(random.uniform(-1, 1)) : padding_value;
      }
    }
  }
  Real& at(Index row, Index column) { return values[static_cast<std::size_t>(row * stride + column)]; }
  double get(Index row, Index column) const {
    return static_cast<double>(values[static_cast<std::size_t>(row * stride + column)]);
  }
  static constexpr Real padding_value = std::numeric_limits<Real>::quiet_NaN();
};

/// C, which gemm has changed from `before`, against alpha op(A) op(B) + beta before.
void check_product(const PaddedMatrix& c, const PaddedMatrix& before, bool ta, bool tb, Index k, double alpha,
                   const PaddedMatrix& a, const PaddedMatrix& b, double beta) {
  double worst = 0;
  bool padding_kept = true;
  for (Index i = 0; i < c.rows; ++i) {
    for (Index j = 0; j < c.columns; ++j) {
      double expected = beta == 0 ? 0 : beta * before.get(i, j);
      for (Index l = 0; l < k; ++l)
        expected += alpha * (ta ? a.get(l, i) : a.get(i, l)) * (tb ? b.get(j, l) : b.get(l, j));
      const double error = std::abs(c.get(i, j) - expected);
      worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
    for (Index j = c.columns; j < c.stride; ++j) padding_kept = padding_kept && std::isnan(c.get(i, j));
  }
  CHECK(worst <= tolerance);
  CHECK(padding_kept);
}

TEST_CASE("gemm is the product of matrices for all transposes, sizes and strides", "[blas]") {
  Random random(1, Purpose::tests);
  const std::vector<Index> sizes = {0, 1, 2, 3, 5, 16, 17, 33};
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      for (const Index m : sizes) {
        for (const Index n : sizes) {
          for (const Index k : sizes) {
            CAPTURE(ta, tb, m, n, k);
            const Index padding = (m + n + k) % 3;  // 0, 1 or 2
            const PaddedMatrix a(ta ? k : m, ta ? m : k, padding, random), b(tb ? n : k, tb ? k : n, padding, random);
            PaddedMatrix c(m, n, padding, random);
            for (const auto& [alpha, beta] : {std::pair<Real, Real>{1, 0}, {-0.5, 1}, {2, 0.25}}) {
              const PaddedMatrix before = c;
              gemm(ta, tb, m, n, k, alpha, a.values.data(), a.stride, b.values.data(), b.stride, beta, c.values.data(),
                   c.stride);
              check_product(c, before, ta, tb, k, static_cast<double>(alpha), a, b, static_cast<double>(beta));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("gemm of sizes that are computed in pieces, with and without copies, is the same product", "[blas]") {
  Random random(3, Purpose::tests);
  struct Sizes {
    Index m, n, k;
  };
  for (const auto& [m, n, k] :
       {Sizes{150, 130, 80}, {260, 65, 70}, {37, 457, 70}, {20, 1900, 70}, {301, 50, 80}, {120, 90, 100}}) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        CAPTURE(ta, tb, m, n, k);
        const PaddedMatrix a(ta ? k : m, ta ? m : k, 3, random), b(tb ? n : k, tb ? k : n, 5, random);
        PaddedMatrix c(m, n, 2, random);
        for (const auto& [alpha, beta] : {std::pair<Real, Real>{1, 0}, {Real(-0.01), 1}}) {
          const PaddedMatrix before = c;
          gemm(ta, tb, m, n, k, alpha, a.values.data(), a.stride, b.values.data(), b.stride, beta, c.values.data(),
               c.stride);
          check_product(c, before, ta, tb, k, static_cast<double>(alpha), a, b, static_cast<double>(beta));
        }
      }
    }
  }
}

TEST_CASE("with beta = 0, gemm overwrites C even if it holds NaN", "[blas]") {
  Random random(2, Purpose::tests);
  for (const Index size : {1, 2, 5, 16, 33, 100}) {
    for (const Index k : {Index{0}, size}) {
      CAPTURE(size, k);
      const PaddedMatrix a(size, k, 0, random), b(k, size, 0, random);
      PaddedMatrix c(size, size, 0, random);
      std::fill(c.values.begin(), c.values.end(), std::numeric_limits<Real>::quiet_NaN());
      const PaddedMatrix before = c;
      gemm(false, false, size, size, k, 1, a.values.data(), k, b.values.data(), size, 0, c.values.data(), size);
      check_product(c, before, false, false, k, 1, a, b, 0);
    }
  }
}

TEST_CASE("gemm passes NaN and infinity on", "[blas]") {
  const Real infinity = std::numeric_limits<Real>::infinity();
  const std::vector<Real> a = {1, 0, infinity, 1}, b = {std::numeric_limits<Real>::quiet_NaN(), 2, 3, 4};
  std::vector<Real> c(4);
  gemm(false, false, 2, 2, 2, 1, a.data(), 2, b.data(), 2, 0, c.data(), 2);
  CHECK(std::isnan(c[0]));
  CHECK(c[1] == 2);
  CHECK(std::isnan(c[2]));
  CHECK(c[3] == infinity);
}

}  // namespace blas_test
