// For each row of `width` numbers, with n = (x - mean) r and r = 1 / sqrt(variance + epsilon):
//   y = n w + b.
// Backward, with h = g w:  dx = r (h - mean(h) - n mean(h n)),  dw = sum g n,  db = sum g.
// Kept: mean and r of each row; n is computed again from x.
#include <algorithm>
#include <cmath>

#include "autograd/operations.hpp"
#include "tensor/fast/lanes.hpp"

namespace qisa {
namespace {

struct Statistics {
  Real mean, r;
};

/// y of every row, and its statistics.
template <class Width>
void normalize(Width width, std::span<Statistics> statistics, Real epsilon, const Real* x, const Real* w, const Real* b,
               Real* y) {
  const auto size = static_cast<Real>(static_cast<Index>(width));
  for (auto& [mean, r] : statistics) {
    Lanes totals{}, squares{};
    for_each_group(width, [&](Index i, auto count) { totals += load_lanes(x + i, count); });
    const Real m = mean = sum(totals) / size;
    for_each_group(width, [&](Index i, auto count) {
      const Lanes centered = first_lanes(load_lanes(x + i, count) - m, count, 0);
      squares += centered * centered;
    });
    const Real factor = r = 1 / std::sqrt(sum(squares) / size + epsilon);
    for_each_group(width, [&](Index i, auto count) {
      const Lanes n = (load_lanes(x + i, count) - m) * factor;
      store_lanes(y + i, n * load_lanes(w + i, count) + load_lanes(b + i, count), count);
    });
    x += width;
    y += width;
  }
}

/// dx of every row, and its part of dw, g n.
void normalize_backward(Index width, std::span<const Statistics> statistics, const Real* x, const Real* w,
                        const Real* g, Real* dx, Real* dw) {
  const auto size = static_cast<Real>(width);
  for (const Statistics& row : statistics) {
    const Real mean = row.mean, r = row.r;
    Lanes sums_h{}, sums_hn{};
    for_each_group(width, [&](Index i, auto count) {
      const Lanes n = (load_lanes(x + i, count) - mean) * r, dy = load_lanes(g + i, count);
      const Lanes h = dy * load_lanes(w + i, count);
      sums_h += h;
      sums_hn += h * n;
      store_lanes(dw + i, dy * n, count);
    });
    const Real mean_h = sum(sums_h) / size, mean_hn = sum(sums_hn) / size;
    for_each_group(width, [&](Index i, auto count) {
      const Lanes n = (load_lanes(x + i, count) - mean) * r, h = load_lanes(g + i, count) * load_lanes(w + i, count);
      store_lanes(dx + i, r * (h - mean_h - n * mean_hn), count);
    });
    x += width;
    g += width;
    dx += width;
    dw += width;
  }
}

}  // namespace

Variable layer_norm(const Variable& x, const Variable& weight, const Variable& bias, Real epsilon) {
  require_values("layer_norm", x, weight, bias);
  require(x.value().rank() >= 1 && x.shape()[-1] > 0, "[layer_norm] needs a last axis of at least 1, not shape {}",
          x.shape());
  const Index size = x.shape()[-1], rows = x.value().size() / size;
  require(weight.shape() == Shape{size} && bias.shape() == Shape{size},
          "[layer_norm] x {} needs weight and bias of shape [{}], not {} and {}", x.shape(), size, weight.shape(),
          bias.shape());
  Tensor y(x.shape());
  std::vector<Statistics, pool::Allocator<Statistics>> statistics(static_cast<std::size_t>(rows));
  const auto run = [&](auto width) {
    normalize(width, statistics, epsilon, x.value().data(), weight.value().data(), bias.value().data(), y.data());
  };
  size == lane_count ? run(AllLanes()) : run(size);  // rows of one group need no loop
  return record("layer_norm", std::move(y), {x, weight, bias},
                [vx = x.value(), vw = weight.value(), statistics = std::move(statistics), size](
                    const Tensor& g, InputGradients& inputs) {
                  Tensor dx(vx.shape()), dw(vx.shape());
                  normalize_backward(size, statistics, vx.data(), vw.data(), g.data(), dx.data(), dw.data());
                  inputs.add(0, std::move(dx));
                  inputs.add(1, std::move(dw));
                  inputs.add(2, g);
                });
}

}  // namespace qisa
