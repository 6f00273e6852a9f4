// Recycled memory: a freed block goes to the next request of its size on the same thread.
//
// Training repeats the same allocations every step, so after the first step the pool serves them
// all and the system allocator is not called again. Each thread has a pool of its own: no locks,
// and a block that was just freed is still in this core's cache.
#pragma once

#include <cstddef>

namespace qisa::pool {

/// A block of at least `bytes` bytes, aligned to 64 bytes, not initialised.
void* allocate(std::size_t bytes);

/// Gives back a block. `bytes` is the size that was asked for. Any thread may free.
void release(void* block, std::size_t bytes) noexcept;

/// How often this thread's pool has had to ask the system for memory.
std::size_t system_allocations();
/// The bytes that it has asked for, all together.
std::size_t system_bytes();

/// Returns all idle blocks of this thread to the system.
void trim();

/// Standard allocator interface to the pool, for std::allocate_shared and containers.
template <class T>
struct Allocator {
  using value_type = T;
  Allocator() = default;
  template <class U>
  Allocator(const Allocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(pool::allocate(count * sizeof(T))); }
  void deallocate(T* block, std::size_t count) { pool::release(block, count * sizeof(T)); }
  friend bool operator==(Allocator, Allocator) { return true; }
};

}  // namespace qisa::pool
