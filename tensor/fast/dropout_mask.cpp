#include "tensor/fast/dropout_mask.hpp"

#include <cmath>

#include "tensor/random.hpp"

namespace qisa {

DropoutMask::DropoutMask(DropoutStream& stream, Index count, Real dropped)
    : count_(count), kept_(1 / (1 - dropped)), groups_(static_cast<std::size_t>((count + group - 1) / group)) {
  const PhiloxKey key = philox_key(stream.seed, Purpose::dropout);
  const std::uint32_t number = stream.next_mask++;
  const auto threshold = static_cast<std::uint32_t>(std::lround(static_cast<double>(dropped) * 65536));
  // A Philox block has 128 bits, 16 for each of 8 numbers. Sixteen blocks at a time, as vector lanes, decide
  // 128 numbers: number 16 p + l stays if field p of block l is not below the threshold.
  constexpr std::uint32_t rounds = parts / 8;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::uint32_t round = 0; round < rounds; ++round) {
      const std::uint32_t first = (static_cast<std::uint32_t>(g) * rounds + round) * lane_count;
      Unsigned* words = groups_[g].data();
#pragma omp simd
      for (std::uint32_t lane = 0; lane < lane_count; ++lane) {
        std::uint32_t c0 = first + lane, c1 = number, c2 = stream.shard, c3 = stream.step;
        philox(c0, c1, c2, c3, key);
        const auto low = [&](std::uint32_t word) -> std::uint32_t { return (word & 0xFFFF) >= threshold ? 1 : 0; };
        const auto high = [&](std::uint32_t word) -> std::uint32_t { return (word >> 16) >= threshold ? 1 : 0; };
        const std::uint32_t stays = low(c0) | high(c0) << 1 | low(c1) << 2 | high(c1) << 3 | low(c2) << 4 |
                                    high(c2) << 5 | low(c3) << 6 | high(c3) << 7;
        words[lane] |= stays << (8 * round);
      }
    }
  }
}

void DropoutMask::multiply(const Real* x, Real* y, const Real* base) const {
  for_each_group(count_, [&](Index i, auto count) {
    const Lanes product = factors(i) * load_lanes(x + i, count);
    store_lanes(y + i, base ? load_lanes(base + i, count) + product : product, count);
  });
}

}  // namespace qisa
