// Operations that move elements and compute nothing.
#include <algorithm>

#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"

namespace qisa {

Variable reshape(const Variable& x, std::initializer_list<Index> sizes) {
  return record("reshape", x.value().reshape(sizes), {x},
                [shape = x.shape()](const Tensor& g, InputGradients& inputs) { inputs.add(0, g.reshape(shape)); });
}

Variable transpose(const Variable& x, int axis_a, int axis_b) {
  return record(
      "transpose", transpose(x.value(), axis_a, axis_b), {x},
      [axis_a, axis_b](const Tensor& g, InputGradients& inputs) { inputs.add(0, transpose(g, axis_a, axis_b)); });
}

namespace {

/// Calls copy(position in the whole, position in the part, length) for each contiguous piece of the
/// part first … first+count-1 of one axis.
template <class Copy>
void for_each_piece(const AxisView& whole, Index first, Index count, Copy copy) {
  for (Index outer = 0; outer < whole.outer; ++outer) {
    copy((outer * whole.size + first) * whole.inner, outer * count * whole.inner, count * whole.inner);
  }
}

}  // namespace

Variable narrow(const Variable& x, int axis, Index first, Index count) {
  const AxisView view(x.shape(), axis);
  require(first >= 0 && count >= 0 && first + count <= view.size, "[narrow] indices {} to {} of axis {} of shape {}",
          first, first + count, axis, x.shape());
  Tensor y(x.shape().with(axis, count));
  for_each_piece(view, first, count, [&](Index from, Index to, Index length) {
    std::copy_n(x.value().data() + from, length, y.data() + to);
  });
  return record("narrow", std::move(y), {x}, [view, first, count](const Tensor& g, InputGradients& inputs) {
    Tensor& dx = inputs.accumulator(0);
    for_each_piece(view, first, count, [&](Index to, Index from, Index length) {
      for (Index i = 0; i < length; ++i) dx[to + i] += g[from + i];
    });
  });
}

Variable concat(std::span<const Variable> parts, int axis) {
  require(!parts.empty(), "[concat] nothing to concatenate");
  const Shape& first_shape = parts[0].shape();
  Index total = 0;
  for (const Variable& part : parts) {
    require(part.value().rank() == first_shape.rank() && part.shape().with(axis, 0) == first_shape.with(axis, 0),
            "[concat] shapes {} and {} differ elsewhere than in axis {}", first_shape, part.shape(), axis);
    total += part.shape()[axis];
  }
  Tensor y(first_shape.with(axis, total));
  const AxisView view(y.shape(), axis);
  Index first = 0;
  std::vector<Shape, pool::Allocator<Shape>> shapes;
  for (const Variable& part : parts) {
    const Index count = part.shape()[axis];
    for_each_piece(view, first, count, [&](Index to, Index from, Index length) {
      std::copy_n(part.value().data() + from, length, y.data() + to);
    });
    first += count;
    shapes.push_back(part.shape());
  }
  return record("concat", std::move(y), parts,
                [view, axis, shapes = std::move(shapes)](const Tensor& g, InputGradients& inputs) {
                  Index begin = 0;
                  for (std::size_t i = 0; i < shapes.size(); ++i) {
                    const Index count = shapes[i][axis];
                    if (inputs.wanted(i)) {
                      Tensor part(shapes[i]);
                      for_each_piece(view, begin, count, [&](Index from, Index to, Index length) {
                        std::copy_n(g.data() + from, length, part.data() + to);
                      });
                      inputs.add(i, std::move(part));
                    }
                    begin += count;
                  }
                });
}

}  // namespace qisa
