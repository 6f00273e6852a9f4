// The sizes of a tensor's axes, and how two shapes broadcast.
#pragma once

#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <span>
#include <string>

#include "tensor/real.hpp"

namespace qisa {

/// Sizes of the axes of a row-major tensor, outermost first. Rank 0 is a scalar of size 1.
class Shape {
 public:
  static constexpr int max_rank = 6;

  Shape() = default;
  /// Throws when there are more than max_rank axes, a size is negative, or the product overflows.
  Shape(std::initializer_list<Index> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const Index> sizes);

  int rank() const { return rank_; }
  /// Number of elements.
  Index size() const;
  /// Size of one axis; negative axes count from the end. Throws when there is no such axis.
  Index operator[](int axis) const { return sizes_[this->axis(axis)]; }
  /// The axis as a number from 0 to rank-1. Throws when there is no such axis.
  int axis(int axis) const;
  /// This shape with one axis of another size.
  Shape with(int axis, Index size) const;

  const Index* begin() const { return sizes_.data(); }
  const Index* end() const { return sizes_.data() + rank_; }
  std::string to_string() const;

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<Index, max_rank> sizes_{};
  int rank_ = 0;
};

/// The common shape of an elementwise operation, by NumPy's rule: axes are aligned at the end, and
/// sizes must be equal or 1. `operation` names the caller in the error.
Shape broadcast(const char* operation, const Shape& a, const Shape& b);

/// Whether the common shape of the two is the second.
bool broadcasts_to(const Shape& a, const Shape& b);

}  // namespace qisa

template <>
struct fmt::formatter<qisa::Shape> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const qisa::Shape& shape, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "{}", shape.to_string());
  }
};
