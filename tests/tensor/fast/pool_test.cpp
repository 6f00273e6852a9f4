// The pool: blocks are aligned, apart from each other, large enough and used again, on any thread.
#include "tensor/fast/pool.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "tensor/tensor.hpp"
#include "tests/catch.hpp"

namespace pool_test {

using namespace qisa;

/// Sizes around every step of the size classes, and small ones.
std::vector<std::size_t> interesting_sizes() {
  std::vector<std::size_t> sizes = {0, 1, 63, 64, 65};
  for (std::size_t power = 128; power <= 65536; power *= 2) {
    for (std::size_t quarter = 4; quarter < 8; ++quarter) {
      const std::size_t size = power / 4 * quarter;
      sizes.insert(sizes.end(), {size - 1, size, size + 1});
    }
  }
  return sizes;
}

TEST_CASE("blocks are aligned to 64 bytes and do not overlap", "[pool]") {
  const auto sizes = interesting_sizes();
  std::vector<unsigned char*> blocks;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    blocks.push_back(static_cast<unsigned char*>(pool::allocate(sizes[i])));
    CHECK(reinterpret_cast<std::uintptr_t>(blocks[i]) % 64 == 0);
    std::memset(blocks[i], static_cast<int>(i % 256), sizes[i]);
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto kept = [i](unsigned char byte) { return byte == i % 256; };
    CHECK(std::all_of(blocks[i], blocks[i] + sizes[i], kept));
    pool::release(blocks[i], sizes[i]);
  }
}

TEST_CASE("a released block serves the next request of its size without asking the system", "[pool]") {
  for (const std::size_t size : interesting_sizes()) {
    CAPTURE(size);
    void* block = pool::allocate(size);
    pool::release(block, size);
    const std::size_t before = pool::system_allocations();
    CHECK(pool::allocate(size) == block);
    CHECK(pool::system_allocations() == before);
    pool::release(block, size);
  }
}

TEST_CASE("a block that serves a larger request than it was made for is large enough", "[pool]") {
  pool::trim();
  for (std::size_t made_for = 1; made_for < 1200; ++made_for) {
    void* block = pool::allocate(made_for);
    pool::release(block, made_for);
    const std::size_t asked = made_for + made_for / 8;
    void* second = pool::allocate(asked);
    CHECK(::malloc_usable_size(second) >= asked);
    std::memset(second, 1, asked);  // an address sanitizer sees a block that is too small
    pool::release(second, asked);
    pool::trim();
  }
}

TEST_CASE("a small request does not take a block of more than twice its size", "[pool]") {
  pool::trim();
  for (const std::size_t size : {std::size_t{64}, std::size_t{100}, std::size_t{4096}, std::size_t{50000}}) {
    void* large = pool::allocate(2 * size + 1);
    pool::release(large, 2 * size + 1);
    void* small = pool::allocate(size);
    CHECK(small != large);
    pool::release(small, size);
  }
}

TEST_CASE("only the first of many equal requests asks the system, after trim() it is asked again", "[pool]") {
  pool::trim();
  const std::size_t before = pool::system_allocations();
  for (int i = 0; i < 100; ++i) pool::release(pool::allocate(12345), 12345);
  CHECK(pool::system_allocations() == before + 1);
  pool::trim();
  pool::release(pool::allocate(12345), 12345);
  CHECK(pool::system_allocations() == before + 2);
}

TEST_CASE("a block that was made on another thread may be freed and used again here", "[pool]") {
  pool::trim();
  void* block = nullptr;
  std::thread([&] { block = pool::allocate(3000); }).join();
  pool::release(block, 3000);
  const std::size_t before = pool::system_allocations();
  CHECK(pool::allocate(3000) == block);
  CHECK(pool::system_allocations() == before);
  std::thread([&] { pool::release(block, 3000); }).join();
}

TEST_CASE("each thread counts its own requests to the system", "[pool]") {
  pool::trim();
  const std::size_t before = pool::system_allocations();
  std::size_t there = 0;
  std::thread([&] {
    const Tensor first({500}), second({500});
    there = pool::system_allocations();
  }).join();
  CHECK(there >= 2);
  CHECK(pool::system_allocations() == before);
}

TEST_CASE("a tensor outlives the thread that made it, and the pool of that thread", "[pool]") {
  Tensor made_there;
  std::thread([&] {
    thread_local Tensor outlives_pool;  // constructed before the pool's first use, so destroyed after the pool
    CHECK(outlives_pool.empty());
    outlives_pool = Tensor::full({1000}, 7);
    made_there = outlives_pool;
    outlives_pool = Tensor::full({1000}, 8);
  }).join();
  CHECK(made_there.size() == 1000);
  for (const Real value : made_there.values()) CHECK(value == 7);
}

TEST_CASE("containers can live in the pool", "[pool]") {
  std::vector<int, pool::Allocator<int>> numbers;
  for (int i = 0; i < 1000; ++i) numbers.push_back(i);
  for (int i = 0; i < 1000; ++i) CHECK(numbers[static_cast<std::size_t>(i)] == i);
  CHECK(pool::Allocator<int>() == pool::Allocator<int>(pool::Allocator<double>()));
}

}  // namespace pool_test
