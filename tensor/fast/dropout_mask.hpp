// Masks of dropout: which numbers stay, as one bit each.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "tensor/dropout_stream.hpp"
#include "tensor/fast/lanes.hpp"
#include "tensor/fast/pool.hpp"

namespace qisa {

/// For each of `count` numbers a factor: 0 with probability `dropped`, otherwise 1 / (1 - dropped).
class DropoutMask {
 public:
  /// The stream's next mask.
  DropoutMask(DropoutStream& stream, Index count, Real dropped);

  /// The factors of numbers i … i + 15; those beyond the count are random too. i is a multiple of 16.
  Lanes factors(Index i) const {
    using Integers __attribute__((vector_size(sizeof(Vector)))) = Unsigned;
    const auto part = static_cast<Unsigned>(i / lane_count % parts);
    return each_vector(
        [&](const Vector& words) {
          return kept_ * __builtin_convertvector(reinterpret_cast<Integers>(words) >> part & 1, Vector);
        },
        reinterpret_cast<const Lanes&>(groups_[static_cast<std::size_t>(i / group)]));
  }

  /// y_i = factor_i x_i for all i, or base_i + factor_i x_i; y may be x.
  void multiply(const Real* x, Real* y, const Real* base = nullptr) const;

 private:
  // Numbers come in groups of 512: bit p of word l is that of number 16 p + l of the group. Words are as wide
  // as Real, so that they turn into it lane by lane.
  using Unsigned = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  static constexpr Index parts = 32, group = parts * lane_count;
  using Group = std::array<Unsigned, lane_count>;

  Index count_;
  Real kept_;
  std::vector<Group, pool::Allocator<Group>> groups_;
};

}  // namespace qisa
