#include "apps/shared/batch_inference.hpp"

#include <algorithm>
#include <span>

#include "nn/training/trainer.hpp"

namespace qisa {
namespace {

constexpr Index vocabulary = 65;

}  // namespace

ModelSettings paper_settings(const std::string& attention, Index n_embd) {
  ModelSettings settings;
  settings.vocabulary_size = vocabulary;
  settings.attention = attention;
  settings.n_embd = n_embd;
  return settings;
}

std::vector<std::int32_t> random_text(Index count) {
  Random random(1, Purpose::batches);
  std::vector<std::int32_t> text(static_cast<std::size_t>(count));
  for (auto& character : text) character = static_cast<std::int32_t>(random.below(vocabulary));
  return text;
}

BatchInference::BatchInference(const ModelSettings& settings, Index batch, CircuitKernel kernel, Workers& workers)
    : model_(settings, 1), batch_(batch), text_(random_text(batch * settings.block_size)), workers_(&workers) {
  for (std::size_t slot = 0; slot < workers.slots(); ++slot) passes_.emplace_back(model_.parameters(), kernel);
  run();
}

void BatchInference::run() {
  const Index length = model_.settings().block_size;
  const Sharding sharding = shard(batch_, length);
  const auto compute = [&](Index job, std::size_t slot) {
    const Index first = job * sharding.sequences, rows = std::min(sharding.sequences, batch_ - first);
    const auto part = std::span<const std::int32_t>(text_).subspan(static_cast<std::size_t>(first * length),
                                                                   static_cast<std::size_t>(rows * length));
    model_.logits(passes_[slot], part, rows);
  };
  workers_->run(sharding.shards, compute, [](Index, std::size_t) {});
}

}  // namespace qisa
