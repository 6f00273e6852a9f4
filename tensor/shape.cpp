#include "tensor/shape.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "tensor/error.hpp"

namespace qisa {

Shape::Shape(std::span<const Index> sizes) : rank_(static_cast<int>(sizes.size())) {
  require(sizes.size() <= max_rank, "a shape has at most {} axes, not {}", max_rank, sizes.size());
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  Index product = 1;
  for (const Index size : sizes) {
    require(size >= 0, "shape {}: the size {} is negative", *this, size);
    require(!__builtin_mul_overflow(product, std::max<Index>(size, 1), &product), "shape {}: too many elements", *this);
  }
}

Index Shape::size() const {
  Index product = 1;
  for (const Index size : *this) product *= size;
  return product;
}

int Shape::axis(int axis) const {
  const int positive = axis < 0 ? axis + rank_ : axis;
  require(positive >= 0 && positive < rank_, "shape {} has no axis {}", *this, axis);
  return positive;
}

Shape Shape::with(int axis, Index size) const {
  Shape result = *this;
  result.sizes_[this->axis(axis)] = size;
  return result;
}

std::string Shape::to_string() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

bool operator==(const Shape& a, const Shape& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

Shape broadcast(const char* operation, const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<Index, Shape::max_rank> sizes{};
  for (int axis = 1; axis <= rank; ++axis) {  // from the last axis to the first
    const Index size_a = axis <= a.rank() ? a[-axis] : 1;
    const Index size_b = axis <= b.rank() ? b[-axis] : 1;
    require(size_a == size_b || size_a == 1 || size_b == 1,
            "[{}] shapes {} and {} do not broadcast: sizes {} and {} differ and neither is 1", operation, a, b, size_a,
            size_b);
    sizes[rank - axis] = size_a == 1 ? size_b : size_a;
  }
  return Shape(std::span<const Index>(sizes.data(), static_cast<std::size_t>(rank)));
}

bool broadcasts_to(const Shape& a, const Shape& b) {
  bool fits = a.rank() <= b.rank();
  for (int axis = -1; fits && axis >= -a.rank(); --axis) fits = a[axis] == 1 || a[axis] == b[axis];
  return fits;
}

}  // namespace qisa
