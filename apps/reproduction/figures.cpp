#include "apps/reproduction/figures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <functional>
#include <set>

namespace qisa {
namespace {

namespace fs = std::filesystem;

// ---- Data: columns under their names; blocks, one a panel, are two empty lines apart. ----

/// A row for each width, a column for each kind.
std::string timing_data(const std::vector<Timing>& timings) {
  std::set<Index> widths;
  for (const Timing& timing : timings) widths.insert(timing.n_embd);
  std::string names = "n_embd", rows;
  for (const Timing& timing : timings) {
    if (timing.n_embd == *widths.begin()) names += fmt::format(" \"{}\"", timing.kind);
  }
  for (const Index width : widths) {
    rows += fmt::format("{}", width);
    for (const Timing& timing : timings) {
      if (timing.n_embd == width) rows += fmt::format(" {:.4f}", timing.milliseconds);
    }
    rows += "\n";
  }
  return names + "\n" + rows;
}

/// Element i of a curve, mean over a variant's runs.
double mean_at(const VariantResults& results, const std::vector<double> RunResult::*curve, std::size_t i) {
  double sum = 0;
  for (const RunResult& run : results.runs) sum += (run.*curve)[i];
  return sum / static_cast<double>(results.runs.size());
}

/// A block for each way of attending, as published first: x of a point, and the curve of each mechanism there.
std::string curve_data(const std::vector<VariantResults>& results, const std::vector<double> RunResult::*curve,
                       const std::function<Index(const RunResult&, std::size_t)>& x_at) {
  std::string blocks;
  for (const auto& [aggregation, normalizer] :
       {std::pair{Aggregation::transposed, Normalizer::softmax}, std::pair{Aggregation::causal, Normalizer::softmax},
        std::pair{Aggregation::causal, Normalizer::sum}}) {
    std::vector<const VariantResults*> shown;
    blocks += "x";
    for (const VariantResults& one : results) {
      const Variant& variant = one.variant;
      const bool fits = variant.aggregation == aggregation && variant.normalizer == normalizer;
      if (variant.attention != "csa" && !fits) continue;
      shown.push_back(&one);
      blocks += " " + variant.attention;
    }
    const RunResult& first = results.front().runs.front();
    for (std::size_t i = 0; i < (first.*curve).size(); ++i) {
      blocks += fmt::format("\n{}", x_at(first, i));
      for (const VariantResults* one : shown) blocks += fmt::format(" {:.5f}", mean_at(*one, curve, i));
    }
    blocks += "\n\n\n";
  }
  return blocks;
}

/// The reading map of a variant's first run.
const ReadingMap& map_of(const std::vector<VariantResults>& results, const std::string& variant) {
  for (const VariantResults& one : results) {
    if (one.variant.name() == variant) return one.runs.front().reading;
  }
  throw_error("there is no run of {} to show the attention of", variant);
}

/// A matrix for each panel.
std::string attention_data(const std::vector<VariantResults>& results) {
  std::string blocks;
  for (const char* variant : {"csa-causal", "qisa-v3-transposed-softmax", "qisa-v3-causal-sum"}) {
    for (const auto& row : map_of(results, variant).weights) {
      for (const double weight : row) blocks += fmt::format("{:.5f} ", weight);
      blocks += "\n";
    }
    blocks += "\n\n";
  }
  return blocks;
}

// ---- Scripts. The colours are those of Okabe and Ito, which colour-blind people can tell apart. ----

constexpr const char* beginning = R"gp(
set terminal svg size 1200,480 noenhanced font "Helvetica,14" background "white"
set output name.".svg"
data = name.".dat"
set tics nomirror
)gp";

constexpr const char* timing_script = R"gp(
colours = "#000000 #D55E00 #E69F00 #56B4E9 #CC79A7 #009E73 #0072B2"
set title "Time of inference: classical attention and the quantum-inspired mechanisms"
set xlabel "width of the model, n_embd (6 layers, 1 head)"
set ylabel "milliseconds a batch (median), log scale"
set logscale y
set yrange [0.1:*]
stats data using 2 nooutput
set xrange [-0.6:STATS_records-0.4]
set grid ytics linecolor rgb "#dddddd"
set style data histograms
set style histogram clustered gap 1.5
set style fill solid 1 noborder
set boxwidth 0.9
set key outside right center
plot for [i=2:STATS_columns] data using i:xtic(1) title columnheader(i) linecolor rgb word(colours, i-1)
)gp";

/// Three panels with one scale, and a legend below the curves of the last; needs title and x_label.
constexpr const char* curves_script = R"gp(
colours = "#000000 #E69F00 #56B4E9 #0072B2 #D55E00"
panels = "'as published (transposed, softmax)' 'leak closed (causal, softmax)' 'leak closed (causal, sum)'"
top = 0
do for [i=2:6] {
  stats data using i nooutput
  if (STATS_max > top) { top = STATS_max }
}
set yrange [0:1.05*top]
set xlabel x_label
set ylabel "cross-entropy, nats a character"
set grid ytics linecolor rgb "#dddddd"
set autoscale xfix
set offsets graph 0.03, graph 0.03, 0, 0
set multiplot layout 1,3 title title margins 0.07,0.98,0.14,0.82 spacing 0.03
do for [panel=1:3] {
  set title word(panels, panel)
  if (panel == 3) { set key bottom center } else { unset key }
  plot for [i=2:6] data index panel-1 using 1:i with linespoints title columnheader(i) \
    linewidth 2 pointtype 2*i+1 pointsize 0.5 linecolor rgb word(colours, i-1)
  unset ylabel
  set format y ""
}
unset multiplot
)gp";

/// A map for each panel, white where nothing is read; needs the tics.
constexpr const char* attention_script = R"gp(
panels = "'csa, causal' 'qisa-v3, as published (transposed, softmax)' 'qisa-v3, leak closed (causal, sum)'"
set palette defined (0 "white", 0.001 "#e8f1fa", 0.2 "#6baed6", 1 "#08306b")
set cbrange [0:1]
set cblabel "weight"
set tics scale 0
set xlabel "character at the position that is read"
set ylabel "character at the position of the output"
set yrange [*:*] reverse
set multiplot layout 1,3 margins 0.07,0.92,0.14,0.82 spacing 0.03 \
  title "What each output of an attention head takes from each position (layer 1, head 1, seed 1)"
do for [panel=1:3] {
  set title word(panels, panel)
  if (panel == 3) { set colorbox } else { unset colorbox }
  plot data index panel-1 matrix with image pixels notitle
  unset ylabel
}
unset multiplot
)gp";

/// A character as a label that can be seen, within double quotes.
std::string label(const std::string& character) {
  if (character == " ") return "␣";
  if (character == "\n") return "↵";
  return character == "\"" || character == "\\" ? "\\" + character : character;
}

/// Both axes of a reading map.
std::string attention_tics(const ReadingMap& map) {
  std::vector<std::string> tics;
  for (const std::string& character : map.characters) {
    tics.push_back(fmt::format("\"{}\" {}", label(character), tics.size()));
  }
  return fmt::format("set xtics ({0})\nset ytics ({0})\n", fmt::join(tics, ", "));
}

}  // namespace

bool draw_figures(const fs::path& folder, const std::vector<VariantResults>& results,
                  const std::vector<Timing>& timings) {
  fs::create_directories(folder);
  const auto write = [&](const std::string& name, const std::string& data, const std::string& definitions,
                         const char* script) {
    save_text(folder / (name + ".dat"), data);
    save_text(folder / (name + ".gp"),
              fmt::format("reset session\nname = \"{}\"\n{}{}{}", name, definitions, beginning, script));
  };
  const auto curves = [](const char* title, const char* x_label) {
    return fmt::format("title = \"{}\"\nx_label = \"{}\"\n", title, x_label);
  };
  write("timing", timing_data(timings), "", timing_script);
  write(
      "loss",
      curve_data(results, &RunResult::training_loss, [](const RunResult& run, std::size_t i) { return run.steps[i]; }),
      curves("Training loss, as published and with the leak closed", "optimizer step"), curves_script);
  write("positions",
        curve_data(results, &RunResult::loss_by_position,
                   [](const RunResult&, std::size_t i) { return static_cast<Index>(i) + 1; }),
        curves("Validation loss by position: only the last has no later character to read", "position in the context"),
        curves_script);
  write("attention", attention_data(results), attention_tics(map_of(results, "csa-causal")), attention_script);

  const fs::path before = fs::current_path();
  fs::current_path(folder);
  const int status =
      std::system("command -v gnuplot >/dev/null && gnuplot timing.gp loss.gp positions.gp attention.gp");
  fs::current_path(before);
  return status == 0;
}

}  // namespace qisa
