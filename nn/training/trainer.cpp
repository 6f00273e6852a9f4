#include "nn/training/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/backward.hpp"
#include "autograd/operations.hpp"

namespace qisa {
Sharding shard(Index batch, Index length) {
  // Tokens of a shard: not so many that its activations leave a core's cache, nor so few that going through weights
  // and gradient once a shard counts. Between these, enough shards for eight threads.
  constexpr Index fewest = 128, greatest = 512, threads = 8;
  const Index tokens = std::clamp(batch * length / threads, fewest, greatest);
  const Index most = std::max<Index>(1, tokens / length);
  const Index shards = (batch + most - 1) / most;
  const Index sequences = (batch + shards - 1) / shards;
  return {(batch + sequences - 1) / sequences, sequences};
}

double train_shard(const GPT& model, const Batch& batch, const Tensor& gradient, double dropout, DropoutStream stream,
                   double share) {
  Pass pass(model.parameters(), gradient, static_cast<Real>(dropout), stream);
  const Variable mean = cross_entropy(model.logits(pass, batch.inputs, batch.sequences), batch.targets);
  backward(mean, Tensor::scalar(static_cast<Real>(share)));
  return share * static_cast<double>(mean.value().item());
}

void TrainingSettings::validate() const {
  require(batch_size >= 1 && batch_size <= Index{1} << 24, "batch_size must be from 1 to {}, not {}", Index{1} << 24,
          batch_size);
  // As a Real, too: 0.99999999 is 1 in single precision.
  require(dropout >= 0 && dropout < 1 && static_cast<Real>(dropout) < 1,
          "dropout must be at least 0 and less than 1 in the precision of the weights, not {}", dropout);
}

Trainer::Trainer(GPT& model, std::span<const std::int32_t> tokens, const TrainingSettings& settings, Workers& workers)
    : model_(&model),
      tokens_(tokens),
      settings_(settings),
      workers_(&workers),
      optimizer_(model.parameters(), settings.adamw),
      gradient_(Tensor::zeros({model.parameters().size()})) {
  settings.validate();
  const Index shards = shard(settings.batch_size, model.settings().block_size).shards;
  shard_gradients_.resize(std::min<std::size_t>(workers.slots(), shards));
  for (Tensor& gradient : shard_gradients_) gradient = Tensor::zeros(gradient_.shape());
}

StepReport Trainer::step() {
  const StepReport report = find_gradient();
  apply_gradient();
  return report;
}

StepReport Trainer::find_gradient() {
  const Index number = optimizer_.steps, length = model_->settings().block_size, batch = settings_.batch_size;
  const Sharding sharding = shard(batch, length);
  std::vector<double> shard_loss(shard_gradients_.size());
  double loss = 0;

  const auto compute = [&](Index job, std::size_t slot) {
    const Index first = job * sharding.sequences, rows = std::min(sharding.sequences, batch - first);
    const Batch part = draw_rows(tokens_, first, rows, length, settings_.seed, static_cast<std::uint32_t>(number));
    const DropoutStream stream{settings_.seed, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(job)};
    const double share = static_cast<double>(rows) / static_cast<double>(batch);  // of the batch's mean
    shard_loss[slot] = train_shard(*model_, part, shard_gradients_[slot], settings_.dropout, stream, share);
  };
  const auto combine = [&](Index job, std::size_t slot) {
    if (job == 0) {
      std::swap(gradient_, shard_gradients_[slot]);
    } else {
      gradient_.add(shard_gradients_[slot]);
    }
    shard_gradients_[slot].fill(0);
    loss += shard_loss[slot];
  };
  workers_->run(sharding.shards, compute, combine);

  const double norm = clip_gradient(gradient_, settings_.grad_clip);
  require(std::isfinite(loss) && std::isfinite(norm),
          "step {}: the loss is {} and the gradient's norm {}; a smaller --learning_rate may help", number + 1, loss,
          norm);
  return {loss, norm, settings_.learning_rate(number)};
}

void Trainer::apply_gradient() {
  const double rate = settings_.learning_rate(optimizer_.steps);
  optimizer_.step(model_->parameters().values(), gradient_, rate, workers_);
}

}  // namespace qisa
