// For each row of `width` numbers, with n = (x - mean) r and r = 1 / sqrt(variance + epsilon):
//   y = n w + b.
// Backward, with h = g w:  dx = r (h - mean(h) - n mean(h n)),  dw = sum g n,  db = sum g.
// Kept: mean and r of each row; n is computed again from x.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/fast/lanes.hpp"

namespace qisa {
namespace {

/// function(width): a constant if rows are one group of lanes, so that no loop over a row remains.
template <class Function>
void with_width(Index width, Function function) {
  if (width == lane_count) {
    function(std::integral_constant<Index, lane_count>());
  } else {
    function(width);
  }
}

template <class Width>
Real size_of(Width width) {
  return static_cast<Real>(static_cast<Index>(width));
}

struct Statistics {
  Real mean, r;
};

template <class Width>
Statistics statistics_of(const Real* x, Width width, Real epsilon) {
  const Index whole = whole_lanes(width);
  Lanes totals{}, squares{};
  for (Index i = 0; i < whole; i += lane_count) totals += lanes(x + i);
  Real total = sum(totals);
  for (Index i = whole; i < width; ++i) total += x[i];
  const Real mean = total / size_of(width);
  for (Index i = 0; i < whole; i += lane_count) {
    const Lanes centered = lanes(x + i) - mean;
    squares += centered * centered;
  }
  Real square = sum(squares);
  for (Index i = whole; i < width; ++i) square += (x[i] - mean) * (x[i] - mean);
  return {mean, 1 / std::sqrt(square / size_of(width) + epsilon)};
}

/// y of every row, and its statistics.
template <class Width>
void normalize(Width width, std::span<Statistics> statistics, Real epsilon, const Real* x, const Real* w, const Real* b,
               Real* y) {
  const Index whole = whole_lanes(width);
  for (Statistics& row : statistics) {
    row = statistics_of(x, width, epsilon);
    const auto [mean, r] = row;
    for (Index i = 0; i < whole; i += lane_count)
      lanes(y + i) = (lanes(x + i) - mean) * r * lanes(w + i) + lanes(b + i);
    for (Index i = whole; i < width; ++i) y[i] = (x[i] - mean) * r * w[i] + b[i];
    x += width;
    y += width;
  }
}

/// dx of every row; adds to dw and db.
template <class Width>
void normalize_backward(Width width, std::span<const Statistics> statistics, const Real* x, const Real* w,
                        const Real* g, Real* dx, Real* dw, Real* db) {
  const Index whole = whole_lanes(width);
  for (const auto [mean, r] : statistics) {
    Lanes sums_h{}, sums_hn{};
    for (Index i = 0; i < whole; i += lane_count) {
      const Lanes n = (lanes(x + i) - mean) * r, h = lanes(g + i) * lanes(w + i);
      sums_h += h;
      sums_hn += h * n;
      lanes(dw + i) += lanes(g + i) * n;
      lanes(db + i) += lanes(g + i);
    }
    Real sum_h = sum(sums_h), sum_hn = sum(sums_hn);
    for (Index i = whole; i < width; ++i) {
      const Real n = (x[i] - mean) * r, h = g[i] * w[i];
      sum_h += h;
      sum_hn += h * n;
      dw[i] += g[i] * n;
      db[i] += g[i];
    }
    const Real mean_h = sum_h / size_of(width), mean_hn = sum_hn / size_of(width);
    for (Index i = 0; i < whole; i += lane_count) {
      const Lanes n = (lanes(x + i) - mean) * r;
      lanes(dx + i) = r * (lanes(g + i) * lanes(w + i) - mean_h - n * mean_hn);
    }
    for (Index i = whole; i < width; ++i) {
      const Real n = (x[i] - mean) * r;
      dx[i] = r * (g[i] * w[i] - mean_h - n * mean_hn);
    }
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
  with_width(size, [&](auto width) {
    normalize(width, statistics, epsilon, x.value().data(), weight.value().data(), bias.value().data(), y.data());
  });
  return record("layer_norm", std::move(y), {x, weight, bias},
                [vx = x.value(), vw = weight.value(), statistics = std::move(statistics), size](
                    const Tensor& g, InputGradients& inputs) {
                  // dw and db are summed over 32 rows at a time, then over these sums, which sum_to() does
                  // without losing what is small.
                  constexpr std::size_t together = 32;
                  const std::span all = statistics;
                  const Shape parts = {static_cast<Index>((all.size() + together - 1) / together), size};
                  Tensor dx(vx.shape()), dw = Tensor::zeros(parts), db = Tensor::zeros(parts);
                  Real *to_x = dx.data(), *to_w = dw.data(), *to_b = db.data();
                  with_width(size, [&](auto width) {
                    for (std::size_t first = 0; first < all.size(); first += together) {
                      const Index at = static_cast<Index>(first) * width,
                                  part = static_cast<Index>(first / together) * width;
                      normalize_backward(width, all.subspan(first, std::min(together, all.size() - first)),
                                         vx.data() + at, vw.data(), g.data() + at, to_x + at, to_w + part, to_b + part);
                    }
                  });
                  inputs.add(0, std::move(dx));
                  inputs.add(1, sum_to(dw, {size}));
                  inputs.add(2, sum_to(db, {size}));
                });
}

}  // namespace qisa
