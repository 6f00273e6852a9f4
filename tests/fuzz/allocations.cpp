// operator new of the program that this file is linked into, with a count of what it hands out.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/fuzz/fuzz.hpp"

namespace {

thread_local std::size_t allocated = 0;

/// A block of a size that is not 0, or null.
void* take(std::size_t size, std::size_t alignment) {
  allocated += size;
  return std::aligned_alloc(alignment, (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment);
}

void* take_or_throw(std::size_t size, std::size_t alignment) {
  void* block = take(size, alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

constexpr std::size_t usual = alignof(std::max_align_t);

}  // namespace

std::size_t qisa::test::allocated_bytes() { return allocated; }

// All forms but those of arrays: a sanitizer has forms of its own, which must not be mixed with these.
void* operator new(std::size_t size) { return take_or_throw(size, usual); }
void* operator new(std::size_t size, std::align_val_t alignment) { return take_or_throw(size, std::size_t(alignment)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size, usual); }
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return take(size, std::size_t(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
