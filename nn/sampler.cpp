#include "nn/sampler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qisa {

void SamplingSettings::validate() const {
  require(std::isfinite(temperature) && temperature >= 0, "temperature must be at least 0, not {}", temperature);
  require(top_k >= 0, "top_k must be at least 0, not {}", top_k);
  require(top_p > 0 && top_p <= 1, "top_p must be more than 0 and at most 1, not {}", top_p);
}

std::vector<double> sampling_probabilities(std::span<const Real> logits, const SamplingSettings& settings) {
  std::vector<std::size_t> order(logits.size());  // tokens, likeliest first
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return logits[a] > logits[b]; });
  std::vector<double> probabilities(logits.size(), 0);
  const bool likeliest = settings.temperature == 0;
  const Index kept_tokens = likeliest ? 1 : settings.top_k;
  if (kept_tokens > 0 && kept_tokens < std::ssize(order)) order.resize(kept_tokens);
  const double largest = logits[order.front()], temperature = likeliest ? 1 : settings.temperature;
  double total = 0;
  for (const std::size_t token : order) {
    total += probabilities[token] = std::exp((logits[token] - largest) / temperature);
  }
  double kept = 0;  // of the sum so far; a token stays if those before it do not reach top_p
  for (const std::size_t token : order) {
    const bool stays = kept < settings.top_p * total;
    kept += probabilities[token];
    if (!stays) probabilities[token] = 0;
  }
  total = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& probability : probabilities) probability /= total;
  return probabilities;
}

Sampler::Sampler(const GPT& model, const SamplingSettings& settings, std::vector<std::int32_t> prompt,
                 std::uint32_t number)
    : model_(&model),
      settings_(settings),
      random_(settings.seed, Purpose::sampling, number),
      tokens_(std::move(prompt)),
      pass_(model.parameters()) {
  settings.validate();
  require(!tokens_.empty(), "a sample needs at least one token to begin with");
  if (model.settings().aggregation == Aggregation::causal) cache_ = model.new_cache();
}

Tensor Sampler::next_logits() {
  const Index block_size = model_->settings().block_size, count = std::ssize(tokens_);
  if (cache_ && count > block_size) cache_.reset();  // from here on the window slides
  const Index first = cache_ ? cache_->front().length : std::max<Index>(0, count - block_size);
  const auto unread = std::span(tokens_).subspan(static_cast<std::size_t>(first));
  const Tensor logits = model_->logits(pass_, unread, 1, cache_ ? &*cache_ : nullptr).value();
  const Index classes = logits.shape()[1];
  return logits.part((logits.shape()[0] - 1) * classes, {classes});
}

std::int32_t Sampler::next() {
  const Tensor logits = next_logits();
  require(std::ranges::all_of(logits.values(), [](Real logit) { return logit < INFINITY; }),
          "the model's logits are not finite: no character can be drawn from them");
  const std::vector<double> probabilities = sampling_probabilities(logits.values(), settings_);
  double remaining = random_.uniform();
  std::size_t token = probabilities.size();
  for (std::size_t i = 0; i < probabilities.size() && remaining >= 0; ++i) {
    if (probabilities[i] == 0) continue;
    token = i;  // the last possible token also catches what rounding leaves over
    remaining -= probabilities[i];
  }
  tokens_.push_back(static_cast<std::int32_t>(token));
  return tokens_.back();
}

}  // namespace qisa
