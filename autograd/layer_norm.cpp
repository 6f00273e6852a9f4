#include <cmath>

#include "autograd/operations.hpp"
#include "tensor/lanes.hpp"

namespace qisa {
namespace {

/// Mean and 1 / sqrt(variance + epsilon) of a row.
struct Statistics {
  Real mean, r;
};

Statistics statistics_of(const Real* x, Index width, Real epsilon) {
  const Index whole = whole_lanes(width);
  Lanes totals{}, squares{};
  for (Index i = 0; i < whole; i += lane_count) totals += lanes(x + i);
  Real total = sum(totals);
  for (Index i = whole; i < width; ++i) total += x[i];
  const Real mean = total / static_cast<Real>(width);
  for (Index i = 0; i < whole; i += lane_count) {
    const Lanes centered = lanes(x + i) - mean;
    squares += centered * centered;
  }
  Real square = sum(squares);
  for (Index i = whole; i < width; ++i) square += (x[i] - mean) * (x[i] - mean);
  return {mean, 1 / std::sqrt(square / static_cast<Real>(width) + epsilon)};
}

}  // namespace

// For each row of `width` numbers, with n = (x - mean) r and r = 1 / sqrt(variance + epsilon):
//   y = n w + b.
// Backward, with h = g w:  dx = r (h - mean(h) - n mean(h n)),  dw = sum g n,  db = sum g.
// Kept: mean and r of each row; n is computed again from x.
Variable layer_norm(const Variable& x, const Variable& weight, const Variable& bias, Real epsilon) {
  check(x.value().rank() >= 1 && x.shape()[-1] > 0, "[layer_norm] needs a last axis of at least 1, not shape {}",
        x.shape());
  const Index width = x.shape()[-1], rows = x.value().size() / width;
  check(weight.shape() == Shape{width} && bias.shape() == Shape{width},
        "[layer_norm] x {} needs weight and bias of shape [{}], not {} and {}", x.shape(), width, weight.shape(),
        bias.shape());
  Tensor y(x.shape()), statistics({rows, 2});
  const Real *w = weight.value().data(), *b = bias.value().data();
  for (Index row = 0; row < rows; ++row) {
    const Real* from = x.value().data() + row * width;
    Real* to = y.data() + row * width;
    const auto [mean, r] = statistics_of(from, width, epsilon);
    const Index whole = whole_lanes(width);
    for (Index i = 0; i < whole; i += lane_count)
      lanes(to + i) = (lanes(from + i) - mean) * r * lanes(w + i) + lanes(b + i);
    for (Index i = whole; i < width; ++i) to[i] = (from[i] - mean) * r * w[i] + b[i];
    statistics[2 * row] = mean;
    statistics[2 * row + 1] = r;
  }
  return record(
      "layer_norm", std::move(y), {x, weight, bias},
      [vx = x.value(), vw = weight.value(), statistics, rows, width](const Tensor& g, InputGradients& inputs) {
        Tensor dx(vx.shape()), dw = Tensor::zeros({width}), db = Tensor::zeros({width});
        const Real* scale = vw.data();
        Real *sum_gn = dw.data(), *sum_g = db.data();
        const Index whole = whole_lanes(width);
        for (Index row = 0; row < rows; ++row) {
          const Real *from = vx.data() + row * width, *dy = g.data() + row * width;
          Real* to = dx.data() + row * width;
          const Real mean = statistics[2 * row], r = statistics[2 * row + 1];
          Lanes sums_h{}, sums_hn{};
          for (Index i = 0; i < whole; i += lane_count) {
            const Lanes n = (lanes(from + i) - mean) * r, h = lanes(dy + i) * lanes(scale + i);
            sums_h += h;
            sums_hn += h * n;
            lanes(sum_gn + i) += lanes(dy + i) * n;
            lanes(sum_g + i) += lanes(dy + i);
          }
          Real sum_h = sum(sums_h), sum_hn = sum(sums_hn);
          for (Index i = whole; i < width; ++i) {
            const Real n = (from[i] - mean) * r, h = dy[i] * scale[i];
            sum_h += h;
            sum_hn += h * n;
            sum_gn[i] += dy[i] * n;
            sum_g[i] += dy[i];
          }
          const Real mean_h = sum_h / static_cast<Real>(width), mean_hn = sum_hn / static_cast<Real>(width);
          for (Index i = 0; i < whole; i += lane_count) {
            const Lanes n = (lanes(from + i) - mean) * r;
            lanes(to + i) = r * (lanes(dy + i) * lanes(scale + i) - mean_h - n * mean_hn);
          }
          for (Index i = whole; i < width; ++i) {
            const Real n = (from[i] - mean) * r;
            to[i] = r * (dy[i] * scale[i] - mean_h - n * mean_hn);
          }
        }
        inputs.add(0, std::move(dx));
        if (inputs.wanted(1)) inputs.accumulator(1).add(dw);
        if (inputs.wanted(2)) inputs.accumulator(2).add(db);
      });
}

}  // namespace qisa
