// What dropout masks (fast/dropout_mask.hpp) are drawn from.
#pragma once

#include <cstdint>

namespace qisa {

/// Numbers the masks of one training step and shard: element i of the n-th mask is a function of
/// (seed, step, shard, n, i) and of nothing else.
struct DropoutStream {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t shard = 0;
  std::uint32_t next_mask = 0;
};

}  // namespace qisa
