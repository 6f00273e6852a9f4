#include "tensor/random.hpp"

#include <cmath>
#include <numbers>

namespace qisa {
namespace {

constexpr std::uint32_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
constexpr std::uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;

/// One Philox4x32 block; inlined so that loops over counters become vector code.
inline void philox_block(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2, std::uint32_t& c3, std::uint32_t k0,
                         std::uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = static_cast<std::uint64_t>(multiplier_0) * c0;
    const std::uint64_t product_1 = static_cast<std::uint64_t>(multiplier_1) * c2;
    c0 = static_cast<std::uint32_t>(product_1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(product_1);
    c2 = static_cast<std::uint32_t>(product_0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(product_0);
    k0 += weyl_0;
    k1 += weyl_1;
  }
}

}  // namespace

PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  philox_block(counter[0], counter[1], counter[2], counter[3], key[0], key[1]);
  return counter;
}

PhiloxKey philox_key(std::uint64_t seed, Purpose purpose) {
  const auto low = static_cast<std::uint32_t>(seed), high = static_cast<std::uint32_t>(seed >> 32);
  // The purpose is mixed in by the generator itself, so that nearby seeds give unrelated keys.
  const PhiloxCounter mixed = philox({low, high, static_cast<std::uint32_t>(purpose), 0}, {weyl_1, weyl_0});
  return {mixed[0], mixed[1]};
}

std::uint32_t Random::bits() {
  if (used_ == 4) {
    block_ = philox(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[used_++];
}

double Random::uniform() {
  const std::uint64_t high = bits() >> 5, low = bits() >> 6;  // 27 + 26 bits
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

Index Random::below(Index count) {
  const auto range = static_cast<std::uint64_t>(count);
  const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % range;  // a multiple of range
  std::uint64_t value;
  do {
    value = static_cast<std::uint64_t>(bits()) << 32;
    value |= bits();
  } while (value >= limit);
  return static_cast<Index>(value % range);
}

void DropoutStream::fill(Real* mask, Index count, Real dropped) {
  const PhiloxKey key = philox_key(seed, Purpose::dropout);
  const std::uint32_t number = next_mask++;
  const auto threshold = static_cast<std::uint32_t>(std::lround(static_cast<double>(dropped) * 65536));
  const Real kept = 1 / (1 - dropped);
  // A block has 128 bits, 16 for each of 8 elements. Sixteen blocks at a time, as vector lanes:
  // element i of a group of 128 comes from block i % 16, part i / 16.
  constexpr Index lanes = 16, group = lanes * 8;
  for (Index first = 0; first < count; first += group) {
    std::uint32_t words[4][lanes];
#pragma omp simd
    for (Index lane = 0; lane < lanes; ++lane) {
      std::uint32_t c0 = static_cast<std::uint32_t>(first / 8 + lane), c1 = number, c2 = shard, c3 = step;
      philox_block(c0, c1, c2, c3, key[0], key[1]);
      words[0][lane] = c0;
      words[1][lane] = c1;
      words[2][lane] = c2;
      words[3][lane] = c3;
    }
    const auto value = [&](Index part, Index lane) {
      const std::uint32_t bits = (words[part / 2][lane] >> (part % 2 * 16)) & 0xFFFF;
      return bits < threshold ? Real(0) : kept;
    };
    if (first + group <= count) {
      for (Index part = 0; part < 8; ++part)
#pragma omp simd
        for (Index lane = 0; lane < lanes; ++lane) mask[first + part * lanes + lane] = value(part, lane);
    } else {
      for (Index i = 0; first + i < count; ++i) mask[first + i] = value(i / lanes, i % lanes);
    }
  }
}

}  // namespace qisa
