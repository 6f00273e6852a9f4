#include "nn/training/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include "nn/attention/mechanism.hpp"
#include "nn/training/trainer.hpp"
#include "nn/training/workers.hpp"

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

/// Matrices [n_embd, n_embd] for the values of a layer: qisa has one a head, the others at most one in all.
double value_matrices(const ModelSettings& settings) {
  return find_mechanism(settings.attention).real_states ? static_cast<double>(settings.n_head) : 1;
}

}  // namespace

double parameter_estimate(const ModelSettings& settings) {
  const auto width = static_cast<double>(settings.n_embd), layers = static_cast<double>(settings.n_layer);
  const auto vocabulary = static_cast<double>(settings.vocabulary_size);
  const double tables = vocabulary * (settings.tie_embeddings ? 1 : 2) + static_cast<double>(settings.block_size);
  // In units of width²: q, k and the projection 3, v as below, the feed-forward layer 8.
  return tables * width + layers * (11 + value_matrices(settings)) * width * width;
}

MemoryNeed memory_need(const ModelSettings& settings, Index batch_size, int threads, Index text_characters) {
  constexpr double real = sizeof(Real);
  const auto width = static_cast<double>(settings.n_embd), length = static_cast<double>(settings.block_size);
  const auto heads = static_cast<double>(settings.n_head), layers = static_cast<double>(settings.n_layer);
  const Sharding sharding = shard(batch_size, settings.block_size);
  const double tokens = static_cast<double>(sharding.sequences) * length;
  // What a layer keeps of each token for the reverse pass, in the order of the forward: two layer norms, q, k, v,
  // heads, projection, two residual sums, the feed-forward layer's 4 + 4 + 1 widths, and what dropout makes of
  // some; and for each head a row of weights, before and after dropout.
  const double a_layer = (19 + value_matrices(settings)) * width + 2 * heads * length;
  const double at_the_end = 3 * static_cast<double>(settings.vocabulary_size);  // logits, softmax, gradient
  MemoryNeed need;
  const double gradients = std::min(static_cast<double>(Workers::slots(threads)), static_cast<double>(sharding.shards));
  need.parameters = parameter_estimate(settings) * (6 + gradients) * real;
  need.activations = tokens * (layers * a_layer + at_the_end) * threads * real;
  need.text = static_cast<double>(text_characters) * 2 * sizeof(std::int32_t);
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
          "training needs about {} of memory (parameters {}, activations {}, text {}), but {} is available; take a "
          "smaller n_embd, n_layer or block_size, or fewer threads",
          bytes_text(need.total()), bytes_text(need.parameters), bytes_text(need.activations), bytes_text(need.text),
          bytes_text(available));
}

std::string bytes_text(double bytes) {
  constexpr std::array units = {"bytes", "KB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < units.size(); ++unit) bytes /= 1000;
  return fmt::format("{:.3g} {}", bytes, units[unit]);
}

}  // namespace qisa
