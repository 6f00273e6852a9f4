#include "apps/reproduction/timing.hpp"

#include <algorithm>
#include <deque>

#include "apps/shared/batch_inference.hpp"
#include "apps/shared/progress.hpp"

namespace qisa {
namespace {

constexpr std::size_t fewest_rounds = 31;

/// A model, and how long it took for each batch so far.
class TimedModel {
 public:
  TimedModel(const ModelSettings& settings, CircuitKernel kernel, Workers& workers)
      : inference_(settings, timed_batch, kernel, workers) {}

  void time_batch() {
    const double begun = seconds_now();
    inference_.run();
    milliseconds_.push_back(1e3 * (seconds_now() - begun));
  }

  double median() {
    const auto middle = milliseconds_.begin() + std::ssize(milliseconds_) / 2;
    std::nth_element(milliseconds_.begin(), middle, milliseconds_.end());
    return *middle;
  }

 private:
  BatchInference inference_;
  std::vector<double> milliseconds_;
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
      models.emplace_back(paper_settings(kind.attention, n_embd), kind.kernel, workers);
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
