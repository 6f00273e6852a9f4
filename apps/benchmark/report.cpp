#include "apps/benchmark/report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace qisa {

BenchReport::BenchReport()
    : benchmark::ConsoleReporter(isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr ? OO_ColorTabular
                                                                                                  : OO_Tabular) {}

void BenchReport::ReportRuns(const std::vector<Run>& runs) {
  benchmark::ConsoleReporter::ReportRuns(runs);
  const bool repeated = std::any_of(runs.begin(), runs.end(), [](const Run& run) { return run.repetitions > 1; });
  for (const Run& run : runs) {
    if (repeated && run.aggregate_name != "median") continue;
    const auto counter = run.counters.find(rate);
    rows_.push_back({run.family_index, run.run_name.function_name, run.GetAdjustedRealTime(),
                     counter == run.counters.end() ? 0 : double(counter->second)});
  }
}

void BenchReport::print_table() {
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.place < b.place; });
  const auto of_model = [](const Row& row) {
    return row.name.starts_with("inference/") || row.name.starts_with("training/");
  };
  if (std::none_of(rows_.begin(), rows_.end(), of_model)) return;
  double roofline = 0;
  for (const Row& row : rows_) {
    if (row.name.starts_with("gemm/")) roofline = std::max(roofline, row.gigaflops);
  }
  fmt::print("\n{:<40} {:>10} {:>12} {:>14}\n", "", "ms", "ratio to csa", "share of BLAS");
  for (const Row& row : rows_) {
    if (!of_model(row)) continue;
    const auto first = row.name.find('/'), second = row.name.rfind('/');
    const std::string partner = row.name.substr(0, first) + "/csa" + row.name.substr(second);
    const auto classical =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& other) { return other.name == partner; });
    const bool has_ratio = first != second && classical != rows_.end();
    fmt::print("{:<40} {:>10.2f} {:>12} {:>14}\n", row.name, row.milliseconds,
               has_ratio ? fmt::format("{:.2f}", row.milliseconds / classical->milliseconds) : "",
               roofline > 0 ? fmt::format("{:.0f} %", 100 * row.gigaflops / roofline) : "");
  }
}

}  // namespace qisa
