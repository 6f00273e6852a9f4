// operator new of the program that this file is linked into, with a count of what it hands out.
#include <cstdlib>
#include <new>

#include "tests/fuzz/fuzz.hpp"

namespace {

thread_local std::size_t allocated = 0;

void* counted(std::size_t size, void* block) {
  if (block == nullptr) throw std::bad_alloc();
  allocated += size;
  return block;
}

}  // namespace

std::size_t qisa::test::allocated_bytes() { return allocated; }

// The other forms of new and delete call these.
void* operator new(std::size_t size) { return counted(size, std::malloc(size > 0 ? size : 1)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return counted(size, std::aligned_alloc(step, (size + step - 1) / step * step));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
