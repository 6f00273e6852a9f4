// Collects benchmark results while they are printed, and sets mechanisms beside classical attention and BLAS.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

namespace qisa {

class BenchReport : public benchmark::ConsoleReporter {
 public:
  /// The counter of a benchmark's matrix products.
  static constexpr const char* rate = "GFLOP/s";

  /// Colours on a terminal only, and not if the environment has NO_COLOR.
  BenchReport();

  void ReportRuns(const std::vector<Run>& runs) override;
  /// One row for each inference and training benchmark: milliseconds; the ratio to csa's of the same size, if that
  /// was run; and its matrix products a second as a share of what BLAS alone did on as many threads, at the best of
  /// the sizes of gemm/, if those were run. In the order in which they were registered, whichever ended first. Nothing
  /// if there are no such benchmarks.
  void print_table();

 private:
  struct Row {
    std::int64_t place;  // among all benchmarks
    std::string name;
    double milliseconds, gigaflops;  // medians where runs are repeated
  };

  std::vector<Row> rows_;
};

}  // namespace qisa
