#include "apps/shared/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <future>
#include <limits>
#include <string>

#include "nn/training/trainer.hpp"
#include "tensor/fast/pool.hpp"

namespace qisa {
namespace {

/// The number after `key` in a file of lines "key number …", or that which the file begins with; infinite if there is
/// none ("max").
double number_in(const std::string& path, const std::string& key = "") {
  std::ifstream file(path);
  for (std::string word; word != key && file >> word;) {
  }
  double value = 0;
  return file >> value ? value : std::numeric_limits<double>::infinity();
}

/// What a limit leaves beside what is taken, if that is known.
double left(double limit, double taken) { return std::isfinite(taken) ? std::max(0.0, limit - taken) : limit; }

/// What one copy of a small model's parameters takes, and the forward and the reverse pass of a shard: run on a thread
/// of its own, as its pool keeps all that it has asked for.
MemoryNeed measure(const ModelSettings& settings, Index sequences, double dropout) {
  const GPT model(settings, 1);
  const std::vector<std::int32_t> tokens(sequences * settings.block_size);
  const Tensor gradient = Tensor::zeros({model.parameters().size()});
  const auto run = [&] {
    const std::size_t before = pool::system_bytes();
    train_shard(model, {tokens, tokens, sequences}, gradient, dropout, {}, 1);
    return static_cast<double>(pool::system_bytes() - before);
  };
  return {static_cast<double>(gradient.size() * sizeof(Real)), std::async(std::launch::async, run).get()};
}

}  // namespace

// Measured on models of `unit` characters, width and context with one layer and head, and on such with more of one of
// these, as what they take grows with each in one way: with v, w, t, l and h for vocabulary, width, context, layers
// and heads in these units,
//   parameters    v w table + t w positions + l w² (layer + h head)
//   a shard       tokens (v logits + w ends + t scores + l (w layer + h t weights + h w head))
// where only qisa has numbers of the width for each head. What a head takes with the context is what heads take in a
// longer one: the scores' gradient is there once, for one head at a time.
MemoryNeed memory_need(const ModelSettings& settings, Index batch_size, int threads, double dropout) {
  constexpr int unit = 32, sequences = 8;
  ModelSettings base = settings;
  base.vocabulary_size = base.n_embd = base.block_size = unit;
  base.n_layer = base.n_head = 1;
  /// What a unit more of one size adds to a model, on as many tokens.
  const auto added = [&](Index ModelSettings::*size, int factor, const ModelSettings& to) {
    ModelSettings larger = to;
    larger.*size *= factor;
    const MemoryNeed before = measure(to, sequences * unit / to.block_size, dropout);
    const MemoryNeed after = measure(larger, sequences * unit / larger.block_size, dropout);
    return MemoryNeed{(after.parameters - before.parameters) / (factor - 1),
                      (after.activations - before.activations) / (factor - 1)};
  };
  ModelSettings longer = base;
  longer.block_size *= sequences;
  const MemoryNeed layer = added(&ModelSettings::n_layer, 4, base), head = added(&ModelSettings::n_head, 4, base),
                   table = added(&ModelSettings::vocabulary_size, 16, base),
                   positions = added(&ModelSettings::block_size, sequences, base),
                   width = added(&ModelSettings::n_embd, 4, base);
  const double weights = (added(&ModelSettings::n_head, 4, longer).activations - head.activations) / (sequences - 1);
  const auto in_units = [&](Index size) { return static_cast<double>(size) / unit; };
  const double v = in_units(settings.vocabulary_size), w = in_units(settings.n_embd), t = in_units(settings.block_size);
  const auto l = static_cast<double>(settings.n_layer), h = static_cast<double>(settings.n_head);

  const Sharding sharding = shard(batch_size, settings.block_size);
  const std::size_t gradients = std::min<std::size_t>(Workers::slots(threads), sharding.shards);
  const double tokens = static_cast<double>(sharding.sequences) * t / sequences;
  const double layer_width = layer.activations - head.activations, head_width = head.activations - weights;
  return {.parameters = (v * w * table.parameters + t * w * positions.parameters +
                         l * w * w * (layer.parameters - head.parameters + h * head.parameters)) *
                        static_cast<double>(6 + gradients),
          .activations =
              tokens * threads *
              (v * table.activations + w * (width.activations - layer_width - head_width) +
               t * (positions.activations - weights) + l * (w * layer_width + h * t * weights + h * w * head_width))};
}

double available_memory() {
  const std::string group = "/sys/fs/cgroup/", older = group + "memory/";
  rlimit space{};
  ::getrlimit(RLIMIT_AS, &space);  // more than any machine has, if it is no limit
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  // Of a control group's memory, what cannot be given back is taken.
  return std::min({number_in("/proc/meminfo", "MemAvailable:") * 1024,
                   left(number_in(group + "memory.max"), number_in(group + "memory.stat", "anon")),
                   left(number_in(older + "memory.limit_in_bytes"), number_in(older + "memory.stat", "total_rss")),
                   left(static_cast<double>(space.rlim_cur), number_in("/proc/self/statm") * page)});
}

void check_memory(const MemoryNeed& need, double available) {
  require(need.total() <= available,
          "training needs about {} of memory (parameters {}, activations {}), but {} is available; take a smaller "
          "n_embd, n_layer or block_size, or fewer threads",
          bytes_text(need.total()), bytes_text(need.parameters), bytes_text(need.activations), bytes_text(available));
}

std::string bytes_text(double bytes) {
  constexpr std::array units = {"bytes", "KB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < units.size(); ++unit) bytes /= 1000;
  return fmt::format("{:.3g} {}", bytes, units[unit]);
}

}  // namespace qisa
