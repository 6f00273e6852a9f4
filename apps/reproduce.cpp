// Reproduces the paper's claims: trains and evaluates every mechanism as published and with the leak closed,
// and writes tables and figures. What is finished stays; run it again after an interruption, and it goes on.
#include <fmt/format.h>

#include "apps/reproduction/figures.hpp"
#include "apps/reproduction/tables.hpp"
#include "apps/shared/command_line.hpp"
#include "apps/shared/corpus.hpp"
#include "apps/shared/progress.hpp"
#include "tensor/fast/blas_kernel.hpp"

using namespace qisa;

namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data = "data/shakespeare.txt", out;
  bool full = false, quick = false;
  int seeds = 0, threads = 0;
};

Options parse(int argc, char** argv) {
  CLI::App app("Reproduce the paper's claims, with and without its leak: tables and figures in results/.", "reproduce");
  Options options;
  app.add_option("--data", options.data, "text file (UTF-8), or builtin")->capture_default_str();
  app.add_option("--out", options.out, "folder of the results (default: results, results/full or results/quick)");
  app.add_option("--seeds", options.seeds, "runs of each variant, by the seeds 1, 2, … (default: 3; 1 with --full)")
      ->check(CLI::Range(1, 100));
  app.add_option("--threads", options.threads, "threads; only times depend on it (0: one a processor)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  CLI::Option* full =
      app.add_flag("--full", options.full, "the paper's larger size: width 128, one epoch; takes hours");
  app.add_flag("--quick", options.quick, "some steps of tiny models, to try the program")->excludes(full);
  parse_or_exit(app, argc, argv);
  if (options.out.empty()) options.out = options.full ? "results/full" : options.quick ? "results/quick" : "results";
  if (options.seeds == 0) options.seeds = options.full ? 1 : 3;
  if (options.threads == 0) options.threads = available_processors();
  return options;
}

Text load_text(const std::string& data, Index block_size) {
  auto [text, source, description, builtin] = load_corpus(data);
  return {description, fingerprint(text), text.tokenizer, split(std::move(text.tokens), block_size)};
}

/// Times inference, or reads what an earlier call found.
std::vector<Timing> timings(const fs::path& file, bool quick, Workers& workers) {
  if (const auto found = load_json<std::vector<Timing>>(file)) return *found;
  fmt::print("timing inference\n");
  auto found = quick ? time_inference({4}, 0, workers) : time_inference({4, 16, 128}, 5, workers);
  save_json(file, found);
  return found;
}

/// The results of all runs: read where there is a file, trained where there is none.
std::vector<VariantResults> results(const fs::path& folder, int seeds, const Scale& scale, const Text& text,
                                    Workers& workers) {
  std::vector<VariantResults> all;
  for (const Variant& variant : paper_variants()) all.push_back({variant, {}});
  const Index count = std::ssize(all) * seeds;
  Index done = 0;
  double seconds = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    for (auto& [variant, runs] : all) {
      const Run run{variant, static_cast<std::uint64_t>(seed)};
      const fs::path file = folder / (run.name() + ".json");
      auto result = load_result(file, settings_of(run, scale, text));
      const bool found = result.has_value();
      if (!found) {
        result = train_and_evaluate(run, scale, text, workers);
        save_json(file, *result);
      }
      seconds += result->seconds;
      ++done;
      const double left = seconds / static_cast<double>(done) * static_cast<double>(count - done);
      fmt::print("{:>3}/{}  {:<30} cross-entropy {:.3f}  {}; about {} left\n", done, count, run.name(),
                 result->cross_entropy, found ? "found" : duration(result->seconds), duration(left));
      std::fflush(stdout);
      runs.push_back(std::move(*result));
    }
  }
  return all;
}

int reproduce(const Options& options) {
  const Index block_size = Scale{}.block_size;
  const Text text = load_text(options.data, block_size);
  const Scale scale = options.full    ? Scale::full(std::ssize(text.data.train()))
                      : options.quick ? Scale::quick()
                                      : Scale{};
  const std::string title = fmt::format("{} layers of width {}, 1 head, context {}: {} steps of batch {}, {} seed{}",
                                        scale.n_layer, scale.n_embd, scale.block_size, scale.steps, scale.batch_size,
                                        options.seeds, options.seeds == 1 ? "" : "s");
  fmt::print("data   {}\nmodel  {}\nin     {}; {} threads, {}\n", text.description, title, options.out, options.threads,
             blas_description());

  const fs::path out = options.out;
  fs::create_directories(out / "runs");
  Workers workers(options.threads);
  const auto times = timings(out / "timing.json", options.quick, workers);
  const auto all = results(out / "runs", options.seeds, scale, text, workers);
  save_text(out / "results.csv", csv_table(all));
  save_text(out / "results.md", markdown_tables(title, all, times));
  const bool drawn = draw_figures(out / "figures", all, times);
  fmt::print("wrote {0}/results.md, {0}/results.csv and {0}/figures/\n", options.out);
  if (!drawn) fmt::print("no figures drawn: gnuplot is missing or failed; install gnuplot-nox and run this again\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] { return reproduce(parse(argc, argv)); });
}
