#include "apps/reproduce_timing.hpp"

#include <algorithm>

#include "apps/progress.hpp"
#include "nn/gpt.hpp"
#include "nn/trainer.hpp"

namespace qisa {
namespace {

constexpr Index vocabulary = 65;  // of tiny Shakespeare

/// The median time of one batch, cut into shards over all threads as training does.
double median_milliseconds(const ModelSettings& settings, CircuitKernel kernel, double seconds, Workers& workers) {
  const GPT model(settings, 1);
  std::vector<Pass> passes;
  for (std::size_t slot = 0; slot < workers.slots(); ++slot) passes.emplace_back(model.parameters(), kernel);
  const Index length = settings.block_size;
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(timed_batch * length));
  Random random(1, Purpose::batches);
  for (auto& token : tokens) token = static_cast<std::int32_t>(random.below(vocabulary));
  const Sharding sharding = shard(timed_batch, length);
  const auto compute = [&](Index job, std::size_t slot) {
    const Index first = job * sharding.sequences, rows = std::min(sharding.sequences, timed_batch - first);
    const auto part = std::span<const std::int32_t>(tokens).subspan(static_cast<std::size_t>(first * length),
                                                                    static_cast<std::size_t>(rows * length));
    model.logits(passes[slot], part, rows);
  };
  const auto batch_milliseconds = [&] {
    const double begun = seconds_now();
    workers.run(sharding.shards, compute, [](Index, std::size_t) {});
    return 1e3 * (seconds_now() - begun);
  };

  batch_milliseconds();  // fills the pools and fuses circuits
  std::vector<double> times;
  for (double spent = 0; times.size() < 9 || spent < 1e3 * seconds; spent += times.back())
    times.push_back(batch_milliseconds());
  const auto middle = times.begin() + std::ssize(times) / 2;
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

std::vector<Timing> time_inference(const std::vector<Index>& widths, double seconds, Workers& workers) {
  struct Kind {
    std::string name, attention;
    CircuitKernel kernel;
  };
  const std::vector<Kind> kinds = {{"csa", "csa", CircuitKernel::fused},
                                   {"qisa", "qisa", CircuitKernel::fused},
                                   {"qisa-v1 fused", "qisa-v1", CircuitKernel::fused},
                                   {"qisa-v2 fused", "qisa-v2", CircuitKernel::fused},
                                   {"qisa-v3 stepwise", "qisa-v3", CircuitKernel::stepwise},
                                   {"qisa-v3 fused", "qisa-v3", CircuitKernel::fused}};
  std::vector<Timing> timings;
  for (const Kind& kind : kinds) {
    for (const Index n_embd : widths) {
      ModelSettings settings;
      settings.vocabulary_size = vocabulary;
      settings.attention = kind.attention;
      settings.n_embd = n_embd;
      timings.push_back({kind.name, n_embd, median_milliseconds(settings, kind.kernel, seconds, workers)});
    }
  }
  return timings;
}

}  // namespace qisa
