// Operations that move elements and compute nothing.
#include <algorithm>

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"

namespace qisa {

Variable reshape(const Variable& x, std::initializer_list<Index> sizes) {
  require_values("reshape", x);
  return record("reshape", x.value().reshape(sizes), {x},
                [shape = x.shape()](const Tensor& g, InputGradients& inputs) { inputs.add(0, g.reshape(shape)); });
}

Variable transpose(const Variable& x, int axis_a, int axis_b) {
  require_values("transpose", x);
  return record(
      "transpose", transpose(x.value(), axis_a, axis_b), {x},
      [axis_a, axis_b](const Tensor& g, InputGradients& inputs) { inputs.add(0, transpose(g, axis_a, axis_b)); });
}

namespace {

/// Calls visit(position in the whole, position in the part, length) for each contiguous piece of the part first …
/// first+count-1 of one axis.
template <class Visit>
void for_each_piece(const Shape& whole, int axis, Index first, Index count, Visit visit) {
  const auto begin = whole.begin() + whole.axis(axis);
  const Index outer = Shape(std::span(whole.begin(), begin)).size(),
              inner = Shape(std::span(begin + 1, whole.end())).size();
  for (Index i = 0; i < outer; ++i) visit((i * *begin + first) * inner, i * count * inner, count * inner);
}

Tensor part_of(const Tensor& whole, int axis, Index first, Index count) {
  Tensor part(whole.shape().with(axis, count));
  Real* data = part.data();
  for_each_piece(whole.shape(), axis, first, count,
                 [&](Index from, Index to, Index length) { std::copy_n(whole.data() + from, length, data + to); });
  return part;
}

}  // namespace

Variable narrow(const Variable& x, int axis, Index first, Index count) {
  require_values("narrow", x);
  require(first >= 0 && count >= 0 && count <= x.shape()[axis] - first,
          "[narrow] {} indices from {} on of axis {} of shape {}", count, first, axis, x.shape());
  return record("narrow", part_of(x.value(), axis, first, count), {x},
                [shape = x.shape(), axis, first, count](const Tensor& g, InputGradients& inputs) {
                  Real* dx = inputs.accumulator(0).data();
                  for_each_piece(shape, axis, first, count, [&](Index to, Index from, Index length) {
                    for (Index i = 0; i < length; ++i) dx[to + i] += g[from + i];
                  });
                });
}

Variable concat(std::span<const Variable> parts, int axis) {
  require(!parts.empty(), "[concat] nothing to concatenate");
  const Shape& first_shape = parts[0].shape();
  std::vector<Index, pool::Allocator<Index>> counts;
  Index total = 0;
  for (const Variable& part : parts) {
    require_values("concat", part);
    require(part.value().rank() == first_shape.rank() && part.shape().with(axis, 0) == first_shape.with(axis, 0),
            "[concat] shapes {} and {} differ elsewhere than in axis {}", first_shape, part.shape(), axis);
    total += counts.emplace_back(part.shape()[axis]);
  }
  Tensor y(first_shape.with(axis, total));
  Real* data = y.data();
  Index first = 0;
  for (std::size_t i = 0; i < parts.size(); first += counts[i++]) {
    for_each_piece(y.shape(), axis, first, counts[i], [&](Index to, Index from, Index length) {
      std::copy_n(parts[i].value().data() + from, length, data + to);
    });
  }
  return record("concat", std::move(y), parts,
                [axis, counts = std::move(counts)](const Tensor& g, InputGradients& inputs) {
                  Index begin = 0;
                  for (std::size_t i = 0; i < counts.size(); begin += counts[i++]) {
                    if (inputs.wanted(i)) inputs.add(i, part_of(g, axis, begin, counts[i]));
                  }
                });
}

}  // namespace qisa
