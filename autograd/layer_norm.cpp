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

/// The mean of numbers that come in groups of lanes and alone.
struct Mean {
  Lanes totals{};
  Real total = 0;

  void add(const Lanes& numbers) { totals += numbers; }
  void add(Real number) { total += number; }
  Real of(Index count) const { return (sum(totals) + total) / static_cast<Real>(count); }
};

struct Statistics {
  Real mean, r;
};

/// y of one row, and its statistics.
template <class Width>
Statistics normalize(Width width, Real epsilon, const Real* x, const Real* w, const Real* b, Real* y) {
  Mean of_x, of_squares;
  for_each_group(width, [&](auto at) { of_x.add(at(x)); });
  const Real mean = of_x.of(width);
  for_each_group(width, [&](auto at) {
    const auto centered = at(x) - mean;
    of_squares.add(centered * centered);
  });
  const Real r = 1 / std::sqrt(of_squares.of(width) + epsilon);
  for_each_group(width, [&](auto at) { at(y) = (at(x) - mean) * r * at(w) + at(b); });
  return {mean, r};
}

/// dx of one row; adds to dw and db.
template <class Width>
void normalize_backward(Width width, const Statistics& row, const Real* x, const Real* w, const Real* g, Real* dx,
                        Real* dw, Real* db) {
  const auto [mean, r] = row;
  Mean of_h, of_hn;
  for_each_group(width, [&, mean = mean, r = r](auto at) {
    const auto n = (at(x) - mean) * r, h = at(g) * at(w);
    of_h.add(h);
    of_hn.add(h * n);
    at(dw) += at(g) * n;
    at(db) += at(g);
  });
  const Real mean_h = of_h.of(width), mean_hn = of_hn.of(width);
  for_each_group(width, [&, mean = mean, r = r](auto at) {
    const auto n = (at(x) - mean) * r;
    at(dx) = r * (at(g) * at(w) - mean_h - n * mean_hn);
  });
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
  const Real* from = x.value().data();
  Real* to = y.data();
  with_width(size, [&](auto width) {
    for (Index row = 0; row < rows; ++row) {
      statistics[static_cast<std::size_t>(row)] =
          normalize(width, epsilon, from + row * width, weight.value().data(), bias.value().data(), to + row * width);
    }
  });
  return record("layer_norm", std::move(y), {x, weight, bias},
                [vx = x.value(), vw = weight.value(), statistics = std::move(statistics), size, rows](
                    const Tensor& g, InputGradients& inputs) {
                  // dw and db are summed over sixteen rows at a time, then over these sums, which sum_to() does
                  // without losing what is small.
                  constexpr Index together = 16;
                  const Shape parts = {(rows + together - 1) / together, size};
                  Tensor dx(vx.shape()), dw = Tensor::zeros(parts), db = Tensor::zeros(parts);
                  Real *to_x = dx.data(), *to_w = dw.data(), *to_b = db.data();
                  with_width(size, [&](auto width) {
                    for (Index row = 0; row < rows; ++row) {
                      const Index at = row * width, part = row / together * width;
                      normalize_backward(width, statistics[static_cast<std::size_t>(row)], vx.data() + at, vw.data(),
                                         g.data() + at, to_x + at, to_w + part, to_b + part);
                    }
                  });
                  inputs.add(0, std::move(dx));
                  inputs.add(1, sum_to(dw, {size}));
                  inputs.add(2, sum_to(db, {size}));
                });
}

}  // namespace qisa
