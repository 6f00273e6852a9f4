// Random numbers that are functions of a counter, not of a hidden state.
//
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011)
// maps (key, counter) to 128 random bits. The key is made from the user's seed and a purpose, the
// counter from whatever numbers the draw: a training step, a shard, an element. So nothing depends
// on the order in which threads run, and resuming a run needs no generator state.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/real.hpp"

namespace qisa {

/// What random numbers are drawn for. Draws for different purposes are independent.
enum class Purpose : std::uint32_t { initial_weights, pauli_strings, batches, dropout, sampling, corpus, tests };

using PhiloxKey = std::array<std::uint32_t, 2>;
using PhiloxCounter = std::array<std::uint32_t, 4>;

/// Ten rounds of Philox4x32 on the counter c0 … c3, in place; inlined so that loops over counters become
/// vector code.
inline void philox(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2, std::uint32_t& c3, PhiloxKey key) {
  auto [k0, k1] = key;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = std::uint64_t{0xD2511F53} * c0, product_1 = std::uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<std::uint32_t>(product_1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(product_1);
    c2 = static_cast<std::uint32_t>(product_0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(product_0);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}
inline PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  philox(counter[0], counter[1], counter[2], counter[3], key);
  return counter;
}

/// The key of a seed and a purpose.
PhiloxKey philox_key(std::uint64_t seed, Purpose purpose);

/// A sequence of random numbers: the counter runs from 0 within the stream (seed, purpose, a, b).
class Random {
 public:
  Random(std::uint64_t seed, Purpose purpose, std::uint32_t a = 0, std::uint32_t b = 0)
      : key_(philox_key(seed, purpose)), counter_{0, 0, a, b} {}

  /// 32 random bits.
  std::uint32_t bits();
  /// Uniform in [0, 1), with 53 random bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box and Muller 1958).
  double normal();
  /// Uniform among 0 … count-1, without bias (rejection). `count` is at least 1.
  Index below(Index count);

 private:
  PhiloxKey key_;
  PhiloxCounter counter_;
  PhiloxCounter block_{};
  unsigned used_ = 4;
};

}  // namespace qisa
