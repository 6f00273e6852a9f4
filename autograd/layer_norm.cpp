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

/// dx of every row; adds to dw and db.
void normalize_backward(Index width, std::span<const Statistics> statistics, const Real* x, const Real* w,
                        const Real* g, Real* dx, Real* dw, Real* db) {
  const auto size = static_cast<Real>(width);
  for (const Statistics& row : statistics) {
    const Real mean = row.mean, r = row.r;
    Lanes sums_h{}, sums_hn{};
    for_each_group(width, [&](Index i, auto count) {
      const Lanes n = (load_lanes(x + i, count) - mean) * r, dy = load_lanes(g + i, count);
      const Lanes h = dy * load_lanes(w + i, count);
      sums_h += h;
      sums_hn += h * n;
      store_lanes(dw + i, load_lanes(dw + i, count) + dy * n, count);
      store_lanes(db + i, load_lanes(db + i, count) + dy, count);
    });
    const Real mean_h = sum(sums_h) / size, mean_hn = sum(sums_hn) / size;
    for_each_group(width, [&](Index i, auto count) {
      const Lanes n = (load_lanes(x + i, count) - mean) * r, h = load_lanes(g + i, count) * load_lanes(w + i, count);
      store_lanes(dx + i, r * (h - mean_h - n * mean_hn), count);
    });
    x += width;
    g += width;
    dx += width;
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
                  // dw and db are summed over 32 rows at a time, then over these sums, which add() does
                  // without losing what is small.
                  constexpr std::size_t together = 32;
                  const std::span all = statistics;
                  const Shape parts = {static_cast<Index>((all.size() + together - 1) / together), size};
                  Tensor dx(vx.shape()), dw = Tensor::zeros(parts), db = Tensor::zeros(parts);
                  Real *to_x = dx.data(), *to_w = dw.data(), *to_b = db.data();
                  for (std::size_t first = 0; first < all.size(); first += together) {
                    const Index at = static_cast<Index>(first) * size,
                                part = static_cast<Index>(first / together) * size;
                    normalize_backward(size, all.subspan(first, std::min(together, all.size() - first)), vx.data() + at,
                                       vw.data(), g.data() + at, to_x + at, to_w + part, to_b + part);
                  }
                  inputs.add(0, std::move(dx));
                  inputs.add(1, std::move(dw));
                  inputs.add(2, std::move(db));
                });
}

}  // namespace qisa
