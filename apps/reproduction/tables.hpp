// The results as tables: results.csv has a line for each run, results.md a row for each variant.
#pragma once

#include <string>
#include <vector>

#include "apps/reproduction/runs.hpp"
#include "apps/reproduction/timing.hpp"

namespace qisa {

/// The runs of one variant, from seed 1 on; at least one.
struct VariantResults {
  Variant variant;
  std::vector<RunResult> runs;
};

/// "2.146 ± 0.004": the mean and the sample standard deviation; "2.146" for one value.
std::string mean_and_spread(const std::vector<double>& values);

std::string csv_table(const std::vector<VariantResults>& results);

/// Three tables: the results, how many times better than classical attention (the first of `results`) they
/// are, and the times of inference. `title` says what was trained.
std::string markdown_tables(const std::string& title, const std::vector<VariantResults>& results,
                            const std::vector<Timing>& timings);

}  // namespace qisa
