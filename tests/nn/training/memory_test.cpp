// The estimate of a training's memory: it has the real number of parameters, grows with every size, and what is
// more than there is gets refused.
#include "nn/training/memory.hpp"

#include <sys/resource.h>

#include <cmath>

#include "nn/gpt.hpp"
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

TEST_CASE("The estimate of the number of parameters is near that of the model, for every mechanism") {
  for (const MechanismEntry& mechanism : mechanisms()) {
    for (const bool tied : {false, true}) {
      INFO(mechanism.name << (tied ? ", tied" : ""));
      ModelSettings settings = some_settings();
      settings.attention = mechanism.name;
      settings.tie_embeddings = tied;
      const auto real = static_cast<double>(GPT(settings, 1).parameters().size());
      CHECK(parameter_estimate(settings) > 0.95 * real);
      CHECK(parameter_estimate(settings) < 1.4 * real);
    }
  }
}

TEST_CASE("The estimate grows with every size, and stays a number for the largest") {
  const auto need = [](const ModelSettings& settings) { return memory_need(settings, 16, 2, 1000).total(); };
  const double plain = need(some_settings());
  for (const auto size : {&ModelSettings::n_layer, &ModelSettings::n_embd, &ModelSettings::block_size,
                          &ModelSettings::n_head, &ModelSettings::vocabulary_size}) {
    ModelSettings larger = some_settings();
    larger.*size *= 2;
    CHECK(need(larger) > plain);
  }
  CHECK(memory_need(some_settings(), 16, 3, 1000).total() > plain);
  CHECK(memory_need(some_settings(), 16, 2, 1'000'000).total() > plain + 1e6);
  // A batch is computed in shards, which from 4,096 tokens on do not grow with it.
  CHECK(memory_need(some_settings(), 1 << 24, 2, 1000).total() ==
        memory_need(some_settings(), 4096 / 32, 2, 1000).total());

  ModelSettings largest = some_settings();
  largest.n_layer = largest.n_head = 1000;
  largest.n_embd = 65'000;
  largest.block_size = 1 << 20;
  CHECK(std::isfinite(need(largest)));
  CHECK(need(largest) > 1e15);
}

TEST_CASE("A need beyond what is available is refused with both figures") {
  const MemoryNeed need{3e9, 2e9, 1e6};
  CHECK(error_of([&] { check_memory(need, 6e9); }) == "(no error)");
  CHECK(error_of([&] { check_memory(need, INFINITY); }) == "(no error)");
  const std::string message = error_of([&] { check_memory(need, 4.5e9); });
  for (const char* figure : {"about 5 GB", "parameters 3 GB", "activations 2 GB", "text 1 MB", "4.5 GB is available"}) {
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
