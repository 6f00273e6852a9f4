#include "nn/training/adamw.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qisa {

AdamW::AdamW(const Parameters& parameters, const AdamWSettings& settings)
    : first_moment(Tensor::zeros({parameters.size()})),
      second_moment(Tensor::zeros({parameters.size()})),
      settings_(settings) {
  for (const NamedParameter& part : parameters.names()) {
    const bool decays = settings.decay_all || (part.shape.rank() == 2 && part.shape.size() > 1);
    if (ranges_.empty() || ranges_.back().decays != decays) ranges_.push_back({part.offset, 0, decays});
    ranges_.back().count += part.shape.size();
  }
}

void AdamW::restore(Index steps_done, const Tensor& first, const Tensor& second) {
  require(first.shape() == first_moment.shape() && second.shape() == second_moment.shape(),
          "moments of shapes {} and {} for {} parameters", first.shape(), second.shape(), first_moment.size());
  steps = steps_done;
  first_moment = first.clone();
  second_moment = second.clone();
}

void AdamW::step(Tensor& values, const Tensor& gradient, double learning_rate, Workers* workers) {
  ++steps;
  const double correction1 = 1 - std::pow(settings_.beta1, static_cast<double>(steps));
  const double correction2 = 1 - std::pow(settings_.beta2, static_cast<double>(steps));
  const Real beta1 = static_cast<Real>(settings_.beta1), beta2 = static_cast<Real>(settings_.beta2);
  const Real new1 = static_cast<Real>(1 - settings_.beta1), new2 = static_cast<Real>(1 - settings_.beta2);
  const Real rate = static_cast<Real>(learning_rate / correction1);
  const Real root = static_cast<Real>(1 / std::sqrt(correction2)), epsilon = static_cast<Real>(settings_.epsilon);
  const auto update = [&](Index first, Index last) {
    for (const Range& range : ranges_) {
      const Real kept = static_cast<Real>(range.decays ? 1 - learning_rate * settings_.weight_decay : 1);
      Real *p = values.data(), *m = first_moment.data(), *v = second_moment.data();
      const Real* g = gradient.data();
      const Index end = std::min(last, range.first + range.count);
#pragma omp simd
      for (Index i = std::max(first, range.first); i < end; ++i) {
        m[i] = beta1 * m[i] + new1 * g[i];
        v[i] = beta2 * v[i] + new2 * g[i] * g[i];
        p[i] = p[i] * kept - rate * m[i] / (std::sqrt(v[i]) * root + epsilon);
      }
    }
  };
  constexpr Index chunk = Index{1} << 16;
  const Index count = values.size(), chunks = (count + chunk - 1) / chunk;
  if (workers == nullptr || chunks == 1) return update(0, count);
  workers->run(
      chunks, [&](Index job, std::size_t) { update(job * chunk, (job + 1) * chunk); }, [](Index, std::size_t) {});
}

double clip_gradient(Tensor& gradient, double limit) {
  double squares = 0;
  const Real* g = gradient.data();
  const Index count = gradient.size();
#pragma omp simd reduction(+ : squares)
  for (Index i = 0; i < count; ++i) squares += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  const double norm = std::sqrt(squares);
  if (limit > 0 && norm > limit) {
    const Real factor = static_cast<Real>(limit / norm);
    for (Real& value : gradient.values()) value *= factor;
  }
  return norm;
}

double LearningRateSchedule::operator()(Index step) const {
  if (step < warmup) return largest * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  if (step >= decay_end) return smallest;
  const double progress = static_cast<double>(step - warmup) / static_cast<double>(decay_end - warmup);
  return smallest + (largest - smallest) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

}  // namespace qisa
