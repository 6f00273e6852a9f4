// Collects benchmark results while they are printed, and sets mechanisms beside classical attention.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>

namespace qisa {

class BenchReport : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override;
  /// One row for each inference and training benchmark: milliseconds, and the ratio to csa's of the same
  /// size. Rows without such a partner have no ratio.
  void print_table() const;

 private:
  std::vector<std::pair<std::string, double>> milliseconds_;  // medians where runs are repeated
};

}  // namespace qisa
