// The mechanisms that docs/mechanisms.md shows how to write, from the page's own text (CMakeLists.txt): in the table,
// trained, evaluated, saved, sampled from, and their gradients against finite differences.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "autograd/backward.hpp"
#include "autograd/operations.hpp"
#include "nn/files/checkpoint.hpp"
#include "nn/sampler.hpp"
#include "nn/text/builtin_corpus.hpp"
#include "nn/text/text_data.hpp"
#include "nn/text/text_file.hpp"
#include "nn/training/evaluation.hpp"
#include "nn/training/trainer.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace example_mechanism_test {

constexpr const char* page_names[] = {"gaussian", "ladder"};
using Tokens = std::vector<std::int32_t>;

ModelSettings small_settings(const std::string& attention, Index vocabulary) {
  ModelSettings settings;
  settings.attention = attention;
  settings.vocabulary_size = vocabulary;
  settings.n_layer = 1;
  settings.n_head = 2;
  settings.n_embd = 12;
  settings.block_size = 8;
  return settings;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.size() > 0);
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(static_cast<double>(a[i] - b[i])));
  return largest;
}

double loss(const GPT& model, const Tokens& inputs, const Tokens& targets, const Tensor& gradients) {
  Pass pass(model.parameters(), gradients, 0, {});
  const Variable mean = cross_entropy(model.logits(pass, inputs, 2), targets);
  backward(mean);
  return static_cast<double>(mean.value().item());
}

TEST_CASE("The page's mechanisms stand in the table, each once") {
  std::vector<std::string> names;
  for (const MechanismEntry& entry : mechanisms()) names.push_back(entry.name);
  for (const char* name : page_names) CHECK(std::count(names.begin(), names.end(), name) == 1);
  CHECK(names.size() >= 7);  // the paper's five too
}

TEST_CASE("The page's mechanisms learn a text, and are validated, evaluated, saved and sampled from") {
  const std::string text = builtin_corpus(1, 20'000);
  const Tokenizer tokenizer = encode_text(text, "the text").tokenizer;
  const TextData data = split(tokenizer.encode(text), 8);
  Workers workers(2);
  for (const char* name : page_names) {
    INFO(name);
    GPT model(small_settings(name, tokenizer.size()), 1);
    TrainingSettings training;
    training.batch_size = 16;
    training.learning_rate = {1e-2, 1e-3, 10, 150};
    Trainer trainer(model, data.train(), training, workers);
    const double before = predict(model, data.validation(), workers).mean_loss();
    for (int step = 0; step < 150; ++step) trainer.step();
    const Predictions predictions = predict(model, data.validation(), workers);
    CHECK(before > 3);
    CHECK(predictions.mean_loss() < 0.8 * before);
    CHECK(compare(predictions, data.validation(), tokenizer).character_error_rate.mean < 0.9);

    const auto path = std::filesystem::temp_directory_path() / fmt::format("qisa-example-{}-{}", name, ::getpid());
    save_checkpoint(path, model, tokenizer, nullptr);
    const Checkpoint loaded = load_checkpoint(path);
    std::filesystem::remove(path);
    const Tokens prompt(data.validation().begin(), data.validation().begin() + 8);
    Pass stepwise(model.parameters(), CircuitKernel::stepwise), fused(loaded.model.parameters());
    CHECK(largest_difference(model.logits(stepwise, prompt, 1).value(), loaded.model.logits(fused, prompt, 1).value()) <
          (sizeof(Real) == 8 ? 1e-12 : 1e-4));

    Sampler sampler(loaded.model, {0, 0, 1, 1},
                    prompt);  // takes the likeliest token: with a cache at first, then without
    Tokens expected = prompt;
    for (int i = 0; i < 12; ++i) {
      const Tensor logits = model.logits(stepwise, std::span(expected).last(8), 1).value();
      const auto last = logits.values().last(static_cast<std::size_t>(tokenizer.size()));
      expected.push_back(static_cast<std::int32_t>(std::max_element(last.begin(), last.end()) - last.begin()));
      CHECK(sampler.next() == expected.back());
    }
  }
}

TEST_CASE("The gradients of the page's mechanisms are those of finite differences") {
  if (sizeof(Real) == 4) return;
  const Tokens inputs = {0, 3, 1, 4, 2, 2, 0, 1}, targets = {3, 1, 4, 2, 2, 0, 1, 3};
  for (const char* name : page_names) {
    ModelSettings settings = small_settings(name, 5);
    settings.activation = Activation::gelu;  // smooth
    GPT model(settings, 3);
    const Tensor gradients = Tensor::zeros({model.parameters().size()}), unused = Tensor::zeros(gradients.shape());
    loss(model, inputs, targets, gradients);
    for (const NamedParameter& part : model.parameters().names()) {
      if (part.name.find("mhsa") == std::string::npos) continue;
      INFO(name << ", " << part.name);
      for (Index i = part.offset; i < part.offset + std::min<Index>(part.shape.size(), 20); ++i) {
        Real& value = model.parameters().values()[i];
        const Real start = value, step = Real(1e-5);
        value = start + step;
        const double above = loss(model, inputs, targets, unused);
        value = start - step;
        const double below = loss(model, inputs, targets, unused);
        value = start;
        CHECK(static_cast<double>(gradients[i]) == Approx((above - below) / 2e-5).margin(1e-8));
      }
    }
  }
}

}  // namespace example_mechanism_test
