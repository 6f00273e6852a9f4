// Training: the same bits on any number of threads, the loss and the update against a computation
// without shards, and that models learn.
#include "nn/training/trainer.hpp"

#include <cmath>

#include "autograd/backward.hpp"
#include "autograd/operations.hpp"
#include "nn/training/evaluation.hpp"
#include "tensor/fast/pool.hpp"
#include "tests/tensor/files.hpp"

using namespace qisa;
using namespace qisa::test;

namespace trainer_test {

using Tokens = std::vector<std::int32_t>;
constexpr bool is_double = sizeof(Real) == 8;

ModelSettings tiny(const std::string& attention, Index block_size) {
  ModelSettings settings;
  settings.vocabulary_size = 5;
  settings.n_layer = 1;
  settings.n_head = 2;
  settings.n_embd = 4;
  settings.block_size = block_size;
  settings.attention = attention;
  return settings;
}

Tokens random_text(Index length) {
  Random random(1, Purpose::tests);
  Tokens text;
  for (Index i = 0; i < length; ++i) text.push_back(static_cast<std::int32_t>(random.below(5)));
  return text;
}

std::vector<Real> copy(const Tensor& tensor) { return {tensor.values().begin(), tensor.values().end()}; }

/// Whether all entries are the same (and no NaN): failures of this do not print thousands of numbers.
bool same(const Tensor& a, const Tensor& b) {
  return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

/// -log softmax(logits)[target] of each position, in double.
double mean_cross_entropy(const Tensor& logits, const Tokens& targets) {
  const Index classes = logits.shape()[1];
  double total = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Real* row = logits.data() + static_cast<Index>(i) * classes;
    double sum = 0;
    for (Index c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(row[c]));
    total += std::log(sum) - static_cast<double>(row[targets[i]]);
  }
  return total / static_cast<double>(targets.size());
}

/// Loss and gradient of one whole batch in a single pass.
struct Whole {
  double loss;
  Tensor gradient;
};
Whole whole_batch(const GPT& model, const Batch& batch) {
  const Tensor gradient = Tensor::zeros({model.parameters().size()});
  Pass pass(model.parameters(), gradient, 0, {});
  const Variable logits = model.logits(pass, batch.inputs, batch.sequences);
  backward(cross_entropy(logits, batch.targets));
  return {mean_cross_entropy(logits.value(), batch.targets), gradient};
}

TEST_CASE("Shards cover every sequence of a batch once, as evenly as whole sequences allow") {
  for (const Index length : {1, 16, 100, 256, 511, 512, 513, 100'000}) {
    for (const Index batch : {1, 2, 3, 7, 31, 32, 33, 64, 65, 97, 1000, 1024}) {
      const auto [shards, sequences] = shard(batch, length);
      INFO("batch " << batch << ", length " << length << ": " << shards << " shards of " << sequences);
      CHECK(shards >= 1);
      CHECK(sequences >= 1);
      CHECK((shards - 1) * sequences < batch);  // the last shard is not empty
      CHECK(shards * sequences >= batch);       // and no sequence is left over
      CHECK((sequences == 1 || sequences * length <= 512));
    }
  }
}

TEST_CASE("A thousand tokens occupy eight threads, and large batches have shards of 512 tokens") {
  CHECK(shard(16, 64).shards == 8);  // the default of train
  CHECK(shard(64, 16).shards == 8);
  CHECK(shard(128, 16).shards == 8);
  CHECK(shard(1024, 16).shards == 32);
  CHECK(shard(8, 16).shards == 1);  // too few for two
  CHECK(shard(3, 512).shards == 3);
}

TEST_CASE("Training gives the same bits on 1, 2 and 3 threads, for every mechanism, with dropout") {
  const Tokens text = random_text(2000);
  TrainingSettings settings;
  settings.batch_size = 17;
  settings.dropout = 0.2;
  const auto [shards, sequences] = shard(settings.batch_size, 100);
  REQUIRE(shards > 3);                            // more than threads,
  REQUIRE(settings.batch_size % sequences != 0);  // of uneven sizes,
  REQUIRE(settings.batch_size / sequences >= 2);  // several of them full
  for (const MechanismEntry& mechanism : mechanisms()) {
    std::vector<Real> expected;
    std::vector<double> expected_losses;
    for (const int threads : {1, 2, 3}) {
      INFO(mechanism.name << " on " << threads << " threads");
      GPT model(tiny(mechanism.name, 100), 1);
      const std::vector<Real> start = copy(model.parameters().values());
      Workers workers(threads);
      Trainer trainer(model, text, settings, workers);
      std::vector<double> losses;
      for (int step = 0; step < 3; ++step) losses.push_back(trainer.step().loss);
      losses.push_back(predict(model, text, workers).mean_loss());
      const std::vector<Real> weights = copy(model.parameters().values());
      CHECK(weights != start);
      if (threads == 1) {
        expected = weights;
        expected_losses = losses;
      }
      CHECK((weights == expected));
      CHECK(losses == expected_losses);
    }
  }
}

TEST_CASE("After the first step training asks the system for no more memory for tensors, whatever the mechanism") {
  const Tokens text = random_text(200);
  for (const MechanismEntry& mechanism : mechanisms()) {
    CAPTURE(mechanism.name);
    GPT model(tiny(mechanism.name, 8), 1);
    Workers workers(1);  // this thread, whose pool is counted
    TrainingSettings settings;
    settings.batch_size = 3;
    settings.dropout = 0.2;
    Trainer trainer(model, text, settings, workers);
    const std::size_t before = pool::system_allocations();
    trainer.step();
    const std::size_t after_first = pool::system_allocations();
    for (int step = 0; step < 5; ++step) trainer.step();
    CHECK(pool::system_allocations() == after_first);
    CHECK(after_first > before);
    pool::trim();  // so that the next mechanism cannot live on this one's memory
  }
}

TEST_CASE("Dropout and the seed change what is trained") {
  const Tokens text = random_text(500);
  const auto trained = [&](double dropout, std::uint64_t seed) {
    GPT model(tiny("csa", 8), 1);
    Workers workers(1);
    TrainingSettings settings;
    settings.dropout = dropout;
    settings.seed = seed;
    Trainer(model, text, settings, workers).step();
    return copy(model.parameters().values());
  };
  CHECK(trained(0.2, 1) == trained(0.2, 1));
  CHECK(trained(0.2, 1) != trained(0.2, 2));
  CHECK(trained(0.2, 1) != trained(0, 1));
}

TEST_CASE("Training goes on from weights and optimizer state as if it had never stopped") {
  const Tokens text = random_text(500);
  TrainingSettings settings;
  settings.dropout = 0.2;
  settings.learning_rate = {1e-2, 1e-3, 2, 6};
  Workers workers(1);
  GPT model(tiny("qisa-v3", 8), 1), other(model.settings(), model.pauli_strings());
  other.parameters().initialize(2);
  Trainer trainer(model, text, settings, workers), resumed(other, text, settings, workers);
  for (int step = 0; step < 3; ++step) trainer.step();
  const AdamW& state = trainer.optimizer();
  std::copy_n(model.parameters().values().data(), model.parameters().size(), other.parameters().values().data());
  resumed.optimizer().restore(state.steps, state.first_moment, state.second_moment);
  for (int step = 0; step < 3; ++step) {
    CHECK(trainer.step().loss == resumed.step().loss);
    CHECK(same(model.parameters().values(), other.parameters().values()));
  }
}

TEST_CASE("A step's loss, gradient norm and update are those of the whole batch in one pass") {
  const Tokens text = random_text(1000);
  TrainingSettings settings;
  settings.batch_size = 11;
  settings.learning_rate = {0.5, 0.1, 0, 2};  // the second step has the rate 0.3
  settings.adamw.epsilon = 1;                 // so that the update is smooth in the gradient
  REQUIRE(shard(settings.batch_size, 40).shards == 4);
  for (const MechanismEntry& mechanism : mechanisms()) {
    INFO(mechanism.name);
    GPT model(tiny(mechanism.name, 40), 2);
    Workers workers(2);
    const Whole first = whole_batch(model, draw_rows(text, 0, 11, 40, settings.seed, 0));
    double norm = 0;
    for (const Real g : first.gradient.values()) norm = std::hypot(norm, static_cast<double>(g));
    settings.grad_clip = norm / 2;
    Trainer trainer(model, text, settings, workers);
    const std::vector<Real> before = copy(model.parameters().values());
    const StepReport report = trainer.step();
    CHECK(report.loss == Approx(first.loss).epsilon(is_double ? 1e-13 : 1e-6));
    CHECK(report.gradient_norm == Approx(norm).epsilon(is_double ? 1e-12 : 1e-5));
    CHECK(report.learning_rate == Approx(0.5));
    // AdamW's first update by half the gradient: p (1 - rate decay) - rate g / (|g| + epsilon).
    double largest = 0;
    for (Index i = 0; i < first.gradient.size(); ++i) {
      const double g = static_cast<double>(first.gradient[i]) / 2;
      const double p = static_cast<double>(before[static_cast<std::size_t>(i)]);
      const double expected = p * (1 - 0.5 * 0.01) - 0.5 * g / (std::abs(g) + 1);
      largest = std::max(largest, std::abs(static_cast<double>(model.parameters().values()[i]) - expected));
    }
    CHECK(largest < (is_double ? 1e-13 : 1e-6));

    const Whole second = whole_batch(model, draw_rows(text, 0, 11, 40, settings.seed, 1));
    const StepReport next = trainer.step();
    CHECK(next.loss == Approx(second.loss).epsilon(is_double ? 1e-13 : 1e-6));
    CHECK(next.learning_rate == Approx(0.3));
  }
}

TEST_CASE("Every mechanism learns a short periodic text that cannot be told from the last token alone") {
  Tokens text;
  for (int i = 0; i < 200; ++i) text.push_back(i % 2 == 0 ? i % 4 : 4);  // 0 4 2 4 0 4 2 4 …
  TrainingSettings settings;
  settings.batch_size = 8;
  settings.learning_rate = {1e-2, 1e-2, 0, 0};
  for (const MechanismEntry& mechanism : mechanisms()) {
    INFO(mechanism.name);
    GPT model(tiny(mechanism.name, 8), 3);
    Workers workers(1);
    Trainer trainer(model, text, settings, workers);
    CHECK(predict(model, text, workers).mean_loss() > 1);
    for (int step = 0; step < 300; ++step) trainer.step();
    CHECK(predict(model, text, workers).mean_loss() < 0.1);  // from the last token alone: log(2) / 2
  }
}

TEST_CASE("A loss that is not finite throws and changes nothing") {
  const Tokens text = random_text(500);
  for (const int threads : {1, 2}) {
    GPT model(tiny("qisa-v3", 100), 4), twin(tiny("qisa-v3", 100), 4);
    Workers workers(threads);
    TrainingSettings settings;
    settings.batch_size = 17;
    Trainer trainer(model, text, settings, workers), twin_trainer(twin, text, settings, workers);
    trainer.step();
    twin_trainer.step();
    Real& weight = model.parameters().values()[0];
    const Real before = weight;
    for (const Real broken : {Real(NAN), Real(INFINITY)}) {
      weight = broken;
      check_error(error_of([&] { trainer.step(); }), "step 2: the loss is ");
      weight = before;
      CHECK(same(model.parameters().values(), twin.parameters().values()));
      CHECK(trainer.optimizer().steps == 1);
      CHECK(same(trainer.optimizer().first_moment, twin_trainer.optimizer().first_moment));
      CHECK(same(trainer.optimizer().second_moment, twin_trainer.optimizer().second_moment));
    }
    trainer.step();  // and the failure leaves no trace
    twin_trainer.step();
    CHECK(same(model.parameters().values(), twin.parameters().values()));
  }
}

TEST_CASE("The mean loss is that of all windows side by side, computed one by one") {
  constexpr Index length = 40, windows_in_text = 13;
  const GPT model(tiny("qisa-v3", length), 5);
  const Tokens text = random_text(windows_in_text * length + 27);
  Workers workers(2);
  REQUIRE(windows_in_text % shard(windows_in_text, length).sequences != 0);
  for (const Index most : {Index{0}, Index{1}, Index{6}, windows_in_text, Index{99}}) {
    const Index count = most == 0 ? windows_in_text : std::min(most, windows_in_text);
    double total = 0;
    for (Index w = 0; w < count; ++w) {
      const Tokens inputs(text.begin() + w * length, text.begin() + (w + 1) * length);
      const Tokens targets(text.begin() + w * length + 1, text.begin() + (w + 1) * length + 1);
      Pass pass(model.parameters());
      total += mean_cross_entropy(model.logits(pass, inputs, 1).value(), targets);
    }
    CHECK(predict(model, text, workers, most).mean_loss() ==
          Approx(total / static_cast<double>(count)).epsilon(is_double ? 1e-13 : 1e-6));
  }
  CHECK_THROWS_AS(predict(model, random_text(length), workers), Error);
}

TEST_CASE("Training settings out of range are refused") {
  GPT model(tiny("csa", 8), 1);
  Workers workers(1);
  const Tokens text = random_text(100);
  for (const Index batch_size : {Index{0}, Index{-1}, (Index{1} << 24) + 1}) {
    TrainingSettings settings;
    settings.batch_size = batch_size;
    CHECK_THROWS_AS(Trainer(model, text, settings, workers), Error);
  }
  for (const double dropout : {-0.1, 1.0, double(NAN)}) {
    TrainingSettings settings;
    settings.dropout = dropout;
    CHECK_THROWS_AS(Trainer(model, text, settings, workers), Error);
  }
}

}  // namespace trainer_test
