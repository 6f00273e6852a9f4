#include "tensor/fast/subnormals.hpp"

#include <limits>
#include <thread>

#include "tensor/real.hpp"
#include "tests/catch.hpp"

namespace subnormals_test {

using namespace qisa;

/// half, as long as results can be smaller than the smallest normal number; twice: as long as operands can.
struct Seen {
  Real half = 0, twice = 0;
};

Seen look() {
  volatile Real smallest = std::numeric_limits<Real>::min(), subnormal = std::numeric_limits<Real>::denorm_min();
  Seen seen;
  seen.half = smallest * Real(0.5);
  seen.twice = subnormal * Real(1 << 30);
  return seen;
}

TEST_CASE("Subnormal numbers are 0 in a thread that asked for it and in those that it starts, and in no other") {
  Seen before, after, child;
  std::thread([&] {
    before = look();
    flush_subnormals();
    after = look();
    std::thread([&] { child = look(); }).join();
  }).join();
  const Seen other = look();
  for (const Seen& kept : {before, other}) {
    CHECK(kept.half == std::numeric_limits<Real>::min() / 2);
    CHECK(kept.twice > 0);
  }
#if defined(__SSE__)
  for (const Seen& flushed : {after, child}) {
    CHECK(flushed.half == 0);
    CHECK(flushed.twice == 0);
  }
#endif
}

}  // namespace subnormals_test
