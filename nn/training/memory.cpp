#include "nn/training/memory.hpp"

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

constexpr double unknown = std::numeric_limits<double>::infinity();

/// The number after `key` in a file of lines "key number …"; infinite if there is none.
double number_after(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    double value = 0;
    if (word == key) return file >> value ? value : unknown;
  }
  return unknown;
}

/// The number that a file begins with; infinite if it is not one ("max").
double number_in(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : unknown;
}

/// What a control group of Linux leaves: its limit less the memory that cannot be given back.
double left_in_group(const std::string& limit, const std::string& statistics, const std::string& used) {
  const double most = number_in(limit), taken = number_after(statistics, used);
  return std::isfinite(taken) ? std::max(0.0, most - taken) : most;
}

double left_in_address_space() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unknown;
  const double used = number_in("/proc/self/statm") * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return std::max(0.0, static_cast<double>(limit.rlim_cur) - (std::isfinite(used) ? used : 0));
}

/// What a model of some sizes takes.
struct Footprint {
  double parameters;
  double shard;  // bytes of the forward and the reverse pass of a shard
};

/// Runs a small model on one shard, on a thread of its own, as its pool keeps all that it has asked for.
Footprint measure(const ModelSettings& settings, Index sequences, double dropout) {
  const GPT model(settings, 1);
  const std::vector<std::int32_t> tokens(static_cast<std::size_t>(sequences * settings.block_size));
  const Tensor gradient = Tensor::zeros({model.parameters().size()});
  const auto run = [&] {
    const std::size_t before = pool::system_bytes();
    train_shard(model, {tokens, tokens, sequences, settings.block_size}, gradient, dropout, {}, 1);
    return pool::system_bytes() - before;
  };
  return {static_cast<double>(model.parameters().size()),
          static_cast<double>(std::async(std::launch::async, run).get())};
}

}  // namespace

// Measured on models of `unit` characters, width and context with one layer and head, and on such with more of one of
// these, as what they take grows with each in one way: with v, w, t, l and h for vocabulary, width, context, layers
// and heads in these units,
//   parameters    v w table + t w positions + l w² (layer + h head)
//   a shard       tokens (v logits + w ends + l (w layer + h t weights + h w head))
// where only qisa has numbers of the width for each head.
MemoryNeed memory_need(const ModelSettings& settings, Index batch_size, int threads, double dropout) {
  constexpr Index unit = 32, sequences = 4;
  ModelSettings base = settings;
  base.vocabulary_size = base.n_embd = base.block_size = unit;
  base.n_layer = base.n_head = 1;
  const Footprint plain = measure(base, sequences, dropout);
  /// What a unit more of one size adds.
  const auto added = [&](Index ModelSettings::*size, Index factor = 4) {
    ModelSettings larger = base;
    larger.*size *= factor;
    const Footprint sizes = measure(larger, sequences * unit / larger.block_size, dropout);  // as many tokens
    return Footprint{(sizes.parameters - plain.parameters) / (factor - 1), (sizes.shard - plain.shard) / (factor - 1)};
  };
  const Footprint layer = added(&ModelSettings::n_layer), head = added(&ModelSettings::n_head),
                  table = added(&ModelSettings::vocabulary_size, 16), positions = added(&ModelSettings::block_size),
                  width = added(&ModelSettings::n_embd);
  const auto in_units = [&](Index size) { return static_cast<double>(size) / static_cast<double>(unit); };
  const double v = in_units(settings.vocabulary_size), w = in_units(settings.n_embd), t = in_units(settings.block_size);
  const auto l = static_cast<double>(settings.n_layer), h = static_cast<double>(settings.n_head);

  const Sharding sharding = shard(batch_size, settings.block_size);
  const double gradients = std::min(static_cast<double>(Workers::slots(threads)), static_cast<double>(sharding.shards));
  const double tokens = static_cast<double>(sharding.sequences) * t / sequences;
  const double weights = positions.shard, head_width = head.shard - weights;
  const double layer_width = layer.shard - weights - head_width, ends = width.shard - layer_width - head_width;
  MemoryNeed need;
  need.parameters = (v * w * table.parameters + t * w * positions.parameters +
                     l * w * w * (layer.parameters - head.parameters + h * head.parameters)) *
                    (6 + gradients) * sizeof(Real);
  need.activations =
      tokens * threads * (v * table.shard + w * ends + l * (w * layer_width + h * t * weights + h * w * head_width));
  return need;
}

double available_memory() {
  const std::string group = "/sys/fs/cgroup/", older = group + "memory/";
  return std::min({number_after("/proc/meminfo", "MemAvailable:") * 1024,
                   left_in_group(group + "memory.max", group + "memory.stat", "anon"),
                   left_in_group(older + "memory.limit_in_bytes", older + "memory.stat", "total_rss"),
                   left_in_address_space()});
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
