// The results as figures: data and gnuplot scripts, which can be changed and run again by hand, and the
// SVG files that they make.
#pragma once

#include <filesystem>
#include <vector>

#include "apps/reproduction/tables.hpp"

namespace qisa {

/// Writes timing, loss, positions and attention into `folder`, each as .dat and .gp, and draws them as
/// .svg. Returns whether they were drawn: not without gnuplot. Throws when a file cannot be written.
bool draw_figures(const std::filesystem::path& folder, const std::vector<VariantResults>& results,
                  const std::vector<Timing>& timings);

}  // namespace qisa
