// How much memory training will take, before any of it is taken, and how much there is.
#pragma once

#include "nn/settings.hpp"

namespace qisa {

/// Bytes that training needs, beside its text: an estimate.
struct MemoryNeed {
  double parameters = 0;   // weights, their gradient, those of shards, AdamW's moments and a resumed copy
  double activations = 0;  // of one shard of a batch, for each thread
  double total() const { return parameters + activations; }
};

/// The need of a model with these settings that is trained on batches of `batch_size` sequences, by what some small
/// models like it are measured to take, in a few milliseconds.
MemoryNeed memory_need(const ModelSettings& settings, Index batch_size, int threads, double dropout);

/// Bytes that this process may still take: what the system has available, less if its control group or
/// its address space is limited to less. Beyond any machine's if nothing is known.
double available_memory();

/// Throws, with both figures and what to make smaller, when a training needs more than `available`.
void check_memory(const MemoryNeed& need, double available);

/// "640 KB", "1.5 GB": three digits, in powers of 1000.
std::string bytes_text(double bytes);

}  // namespace qisa
