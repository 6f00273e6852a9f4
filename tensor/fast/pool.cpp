#include "tensor/fast/pool.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <vector>

namespace qisa::pool {
namespace {

constexpr std::size_t alignment = 64;

/// Sizes are rounded up to four steps for each power of two, so at most a quarter is wasted.
struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
  bytes = std::max(bytes, alignment);
  const auto exponent = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;  // 2^e < bytes <= 2^(e+1)
  const std::size_t step = std::size_t{1} << (exponent - 2);
  const std::size_t steps = (bytes - 1) / step + 1;  // 5 … 8 quarters of 2^e
  return {exponent * 4 + steps - 5, std::max(steps * step, alignment)};
}

struct Pool {
  std::array<std::vector<void*>, 256> idle;  // one stack of free blocks a size class
  std::size_t system_allocations = 0, system_bytes = 0;

  ~Pool();
};

// Trivially destructible, so it may still be read after the pool of a finished thread is gone.
thread_local bool pool_is_gone = false;
thread_local Pool this_thread;

Pool::~Pool() {
  trim();
  pool_is_gone = true;
}

}  // namespace

void* allocate(std::size_t bytes) {
  const SizeClass size = size_class(bytes);
  if (!pool_is_gone) {
    auto& blocks = this_thread.idle[size.index];
    if (!blocks.empty()) {
      void* block = blocks.back();
      blocks.pop_back();
      return block;
    }
    ++this_thread.system_allocations;
    this_thread.system_bytes += size.bytes;
  }
  return ::operator new (size.bytes, std::align_val_t{alignment});
}

void release(void* block, std::size_t bytes) noexcept {
  try {
    if (!pool_is_gone) return this_thread.idle[size_class(bytes).index].push_back(block);
  } catch (const std::bad_alloc&) {  // it is not kept, then
  }
  ::operator delete (block, std::align_val_t{alignment});
}

std::size_t system_allocations() { return this_thread.system_allocations; }
std::size_t system_bytes() { return this_thread.system_bytes; }

void trim() {
  for (auto& blocks : this_thread.idle) {
    for (void* block : blocks) ::operator delete (block, std::align_val_t{alignment});
    blocks.clear();
  }
}

}  // namespace qisa::pool
