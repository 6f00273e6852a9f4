// AdamW (Loshchilov and Hutter, arXiv 1711.05101), gradient clipping, and the learning rate's schedule.
#pragma once

#include <vector>

#include "nn/parameters.hpp"
#include "nn/training/workers.hpp"

namespace qisa {

struct AdamWSettings {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;  // added after the bias-corrected root
  double weight_decay = 0.01;
  bool decay_all = true;  // false: only matrices decay, not biases, norms and single angles
};

class AdamW {
 public:
  AdamW(const Parameters& parameters, const AdamWSettings& settings);

  /// One update of the flat buffer `values` by the gradient:
  ///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
  ///   p = p (1 - rate decay) - rate (m / c1) / (sqrt(v / c2) + epsilon),  ci = 1 - betai^steps.
  /// Large buffers are split over `workers`, if given; the result is the same.
  void step(Tensor& values, const Tensor& gradient, double learning_rate, Workers* workers = nullptr);

  /// Continues where another optimizer of the same parameters stood.
  void restore(Index steps_done, const Tensor& first, const Tensor& second);

  /// Number of updates so far, and the moments m and v: all there is to save.
  Index steps = 0;
  Tensor first_moment, second_moment;

 private:
  /// A range of the flat buffer that decays or does not.
  struct Range {
    Index first, count;
    bool decays;
  };

  AdamWSettings settings_;
  std::vector<Range> ranges_;
};

/// Scales the gradient in place so that its Euclidean norm is at most `limit`; a limit of 0 leaves it.
/// Returns the norm before.
double clip_gradient(Tensor& gradient, double limit);

/// The learning rate as a function of the step: rises linearly over `warmup` steps to `largest`, then
/// falls along a half cosine to `smallest` at step `decay_end`, and stays there.
struct LearningRateSchedule {
  double largest = 3e-3, smallest = 3e-3;
  Index warmup = 0, decay_end = 0;

  /// The rate of step 0, 1, 2, …
  double operator()(Index step) const;
};

}  // namespace qisa
