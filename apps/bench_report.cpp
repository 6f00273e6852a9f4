#include "apps/bench_report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qisa {

void BenchReport::ReportRuns(const std::vector<Run>& runs) {
  benchmark::ConsoleReporter::ReportRuns(runs);
  const bool repeated = std::any_of(runs.begin(), runs.end(), [](const Run& run) { return run.repetitions > 1; });
  for (const Run& run : runs) {
    if (repeated && run.aggregate_name != "median") continue;
    std::string name = run.run_name.function_name;
    if (!run.error_occurred) milliseconds_.emplace_back(name, run.GetAdjustedRealTime());
  }
}

void BenchReport::print_table() const {
  const auto find = [&](const std::string& name) {
    return std::find_if(milliseconds_.begin(), milliseconds_.end(), [&](const auto& row) { return row.first == name; });
  };
  fmt::print("\n{:<40} {:>10} {:>12}\n", "", "ms", "ratio to csa");
  for (const auto& [name, time] : milliseconds_) {
    const auto first = name.find('/'), second = name.rfind('/');
    if (!name.starts_with("inference/") && !name.starts_with("training/")) continue;
    const auto classical =
        first == second ? milliseconds_.end() : find(name.substr(0, first) + "/csa" + name.substr(second));
    fmt::print("{:<40} {:>10.2f} {:>12}\n", name, time,
               classical == milliseconds_.end() ? "" : fmt::format("{:.2f}", time / classical->second));
  }
}

}  // namespace qisa
