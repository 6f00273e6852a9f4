#include "tensor/random.hpp"

#include <cmath>
#include <numbers>

namespace qisa {

PhiloxKey philox_key(std::uint64_t seed, Purpose purpose) {
  const auto low = static_cast<std::uint32_t>(seed), high = static_cast<std::uint32_t>(seed >> 32);
  // The purpose is mixed in by the generator itself, so that nearby seeds give unrelated keys.
  const PhiloxCounter mixed = philox({low, high, static_cast<std::uint32_t>(purpose), 0}, {0xBB67AE85, 0x9E3779B9});
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

}  // namespace qisa
