#include "apps/reproduce_timing.hpp"

#include <algorithm>
#include <deque>

#include "apps/progress.hpp"
#include "nn/gpt.hpp"
#include "nn/trainer.hpp"

namespace qisa {
namespace {

constexpr Index vocabulary = 65;  // of tiny Shakespeare
constexpr std::size_t fewest_rounds = 31;

/// A model, and how long it took for each batch so far.
class TimedModel {
 public:
  TimedModel(const ModelSettings& settings, CircuitKernel kernel, Workers& workers)
      : model_(settings, 1), workers_(&workers) {
    for (std::size_t slot = 0; slot < workers.slots(); ++slot) passes_.emplace_back(model_.parameters(), kernel);
    Random random(1, Purpose::batches);
    tokens_.resize(static_cast<std::size_t>(timed_batch * length()));
    for (auto& token : tokens_) token = static_cast<std::int32_t>(random.below(vocabulary));
    run();  // fills the pools and prepares circuits
  }

  void time_batch() {
    const double begun = seconds_now();
    run();
    milliseconds_.push_back(1e3 * (seconds_now() - begun));
  }

  double median() {
    const auto middle = milliseconds_.begin() + std::ssize(milliseconds_) / 2;
    std::nth_element(milliseconds_.begin(), middle, milliseconds_.end());
    return *middle;
  }

 private:
  Index length() const { return model_.settings().block_size; }

  /// One batch, cut into shards over all threads as training does.
  void run() {
    const Sharding sharding = shard(timed_batch, length());
    const auto compute = [&](Index job, std::size_t slot) {
      const Index first = job * sharding.sequences, rows = std::min(sharding.sequences, timed_batch - first);
      const auto part = std::span<const std::int32_t>(tokens_).subspan(static_cast<std::size_t>(first * length()),
                                                                       static_cast<std::size_t>(rows * length()));
      model_.logits(passes_[slot], part, rows);
    };
    workers_->run(sharding.shards, compute, [](Index, std::size_t) {});
  }

  GPT model_;
  std::vector<Pass> passes_;
  std::vector<std::int32_t> tokens_;
  std::vector<double> milliseconds_;
  Workers* workers_;
};

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
  for (const Index n_embd : widths) {
    std::deque<TimedModel> models;
    for (const Kind& kind : kinds) {
      ModelSettings settings;
      settings.vocabulary_size = vocabulary;
      settings.attention = kind.attention;
      settings.n_embd = n_embd;
      models.emplace_back(settings, kind.kernel, workers);
    }
    const double begun = seconds_now();
    for (std::size_t round = 0; round < fewest_rounds || seconds_now() - begun < seconds; ++round) {
      for (TimedModel& model : models) model.time_batch();
    }
    for (std::size_t k = 0; k < kinds.size(); ++k) timings.push_back({kinds[k].name, n_embd, models[k].median()});
  }
  return timings;
}

}  // namespace qisa
