// The forecast of a training's memory: against what models of other sizes take, and what is more than there is gets
// refused.
#include "apps/shared/memory.hpp"

#include <sys/resource.h>

#include <cmath>
#include <future>

#include "nn/training/trainer.hpp"
#include "tensor/fast/pool.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace memory_test {

ModelSettings some_settings() {
  ModelSettings settings;
  settings.vocabulary_size = 65;
  settings.n_layer = 3;
  settings.n_head = 4;
  settings.n_embd = 64;
  settings.block_size = 32;
  return settings;
}

/// What a model is found to take when it is made and trained on one shard of a batch of `batch` sequences: numbers,
/// and bytes.
std::pair<double, double> taken(const ModelSettings& settings, Index batch, double dropout) {
  const GPT model(settings, 1);
  const Index sequences = shard(batch, settings.block_size).sequences;
  Random random(1, Purpose::tests);
  std::vector<std::int32_t> tokens;
  for (Index i = 0; i < sequences * settings.block_size; ++i) {
    tokens.push_back(static_cast<std::int32_t>(random.below(settings.vocabulary_size)));
  }
  const Batch all{tokens, tokens, sequences};
  const Tensor gradient = Tensor::zeros({model.parameters().size()});
  const auto train = [&] {
    train_shard(model, all, gradient, dropout, {}, 1);
    return pool::system_bytes();
  };
  // A thread of its own begins with an empty pool.
  return {static_cast<double>(model.parameters().size()),
          static_cast<double>(std::async(std::launch::async, train).get())};
}

TEST_CASE("What a training is said to need is what it takes, for every mechanism and whatever is large") {
  const auto change = [](Index ModelSettings::*size, Index value) {
    ModelSettings settings = some_settings();
    settings.*size = value;
    return settings;
  };
  ModelSettings wide = change(&ModelSettings::n_embd, 192);
  wide.n_head = 2;
  for (const MechanismEntry& mechanism : mechanisms()) {
    for (ModelSettings settings :
         {some_settings(), wide, change(&ModelSettings::block_size, 256), change(&ModelSettings::n_head, 16),
          change(&ModelSettings::n_layer, 8), change(&ModelSettings::vocabulary_size, 1000)}) {
      for (const double dropout : {0.0, 0.1}) {
        settings.attention = mechanism.name;
        settings.tie_embeddings = dropout > 0;
        INFO(mechanism.name << ", dropout " << dropout << ": " << settings.vocabulary_size << " " << settings.n_layer
                            << " " << settings.n_head << " " << settings.n_embd << " " << settings.block_size);
        constexpr Index batch = 16;
        const auto [parameters, bytes] = taken(settings, batch, dropout);
        const MemoryNeed need = memory_need(settings, batch, 1, dropout);
        // With one thread there are 7 buffers of all parameters.
        CHECK(need.parameters / (7 * sizeof(Real)) == Approx(parameters).epsilon(0.08));
        CHECK(need.activations == Approx(bytes).epsilon(0.2));
      }
    }
  }
}

TEST_CASE("Threads have activations of their own, and two gradients each, but not more than there are shards") {
  const MemoryNeed one = memory_need(some_settings(), 1 << 10, 1, 0),
                   three = memory_need(some_settings(), 1 << 10, 3, 0);
  CHECK(three.activations == Approx(3 * one.activations));
  CHECK(three.parameters == Approx(12.0 / 7 * one.parameters));
  CHECK(memory_need(some_settings(), 1, 1000, 0).parameters == Approx(one.parameters));
}

TEST_CASE("The need stays a number for the largest sizes, and is told at once") {
  // A batch is computed in shards, which from 4,096 tokens on do not grow with it.
  CHECK(memory_need(some_settings(), 1 << 24, 2, 0).total() ==
        Approx(memory_need(some_settings(), 4096 / 32, 2, 0).total()));
  ModelSettings largest = some_settings();
  largest.n_layer = largest.n_head = 1000;
  largest.n_embd = 65'000;
  largest.block_size = 1 << 20;
  const double need = memory_need(largest, 16, 2, 0).total();
  CHECK(std::isfinite(need));
  CHECK(need > 1e15);
}

TEST_CASE("A need beyond what is available is refused with both figures") {
  const MemoryNeed need{3e9, 2e9};
  CHECK(error_of([&] { check_memory(need, 6e9); }) == "(no error)");
  CHECK(error_of([&] { check_memory(need, INFINITY); }) == "(no error)");
  const std::string message = error_of([&] { check_memory(need, 4.5e9); });
  for (const char* figure : {"about 5 GB", "parameters 3 GB", "activations 2 GB", "4.5 GB is available"}) {
    check_error(message, figure);
  }
}

TEST_CASE("What is available is a number of bytes that a machine can have") {
  CHECK(available_memory() > 1e6);
  CHECK(available_memory() < 1e15);
}

#ifndef QISA_SANITIZED
TEST_CASE("What is available is at most what the limit of the address space leaves") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_AS, &limit) == 0);
  const rlimit small{1 << 20, limit.rlim_max};  // the process has more than that already
  ::setrlimit(RLIMIT_AS, &small);
  const double after = available_memory();
  ::setrlimit(RLIMIT_AS, &limit);
  CHECK(after == 0);
}
#endif

TEST_CASE("Bytes are told with three digits") {
  CHECK(bytes_text(0) == "0 bytes");
  CHECK(bytes_text(999) == "999 bytes");
  CHECK(bytes_text(1000) == "1 KB");
  CHECK(bytes_text(999'700) == "1 MB");
  CHECK(bytes_text(1.234e9) == "1.23 GB");
  CHECK(bytes_text(5e20) == "500 EB");
  CHECK(bytes_text(5e22) == "5e+04 EB");
}

}  // namespace memory_test
