// Benchmarks, by stable names: inference/<mechanism>/embd:<16|128>, training/…, sample/…, gemm/…, product/…,
// circuit/<wires>. `--benchmark_filter=REGEX` chooses, `--threads N` sets the threads of all but sample/ and circuit/.
// The table at the end sets each mechanism beside classical attention, and beside what BLAS does alone.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <numbers>

#include "apps/benchmark/report.hpp"
#include "apps/shared/batch_inference.hpp"
#include "apps/shared/command_line.hpp"
#include "apps/shared/numbers.hpp"
#include "nn/sampler.hpp"
#include "nn/training/trainer.hpp"
#include "quantum/fast/adjoint.hpp"
#include "tensor/fast/blas.hpp"
#include "tensor/fast/blas_kernel.hpp"

using namespace qisa;

namespace {

Index paper_batch(Index n_embd) { return n_embd == 16 ? 1024 : 128; }

/// Sets the rate of the model's products of matrices: for each token 2 operations forward, 6 in a training step, for
/// each weight, and for each number of a query compared with a key and of a value that a weight of attention is
/// applied to. A token reads no keys after its own, (length + 1) / 2 on average. Embeddings are looked up, not
/// multiplied with, unless they are the output layer too.
void set_product_rate(benchmark::State& state, const GPT& model, Index tokens, int operations) {
  const ModelSettings& s = model.settings();
  Index weights = 0;
  for (const NamedParameter& part : model.parameters().names()) {
    const bool looked_up =
        part.name.starts_with("positional_") || (part.name.starts_with("embedding.") && !s.tie_embeddings);
    if (part.shape.rank() == 2 && part.shape.size() > 1 && !looked_up) weights += part.shape.size();
  }
  const Index compared = s.attention == "qisa-v1" ? s.n_head : s.n_embd;  // qisa-v1 has one number a head
  const double of_attention = 0.5 * static_cast<double>(s.n_layer * (compared + s.n_embd) * (s.block_size + 1));
  const double products = static_cast<double>(tokens) * (static_cast<double>(weights) + of_attention);
  state.counters[BenchReport::rate] =
      benchmark::Counter(operations * products * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

/// The logits of one batch.
void inference(benchmark::State& state, const ModelSettings& settings, Index batch, CircuitKernel kernel, int threads) {
  Workers workers(threads);
  BatchInference timed(settings, batch, kernel, workers);
  for (auto _ : state) timed.run();
  state.SetItemsProcessed(state.iterations() * timed.characters());
  set_product_rate(state, timed.model(), timed.characters(), 2);
}

/// Training steps: batch, forward, backward, clipping, AdamW.
void training(benchmark::State& state, const ModelSettings& settings, const TrainingSettings& training, int threads) {
  GPT model(settings, 1);
  Workers workers(threads);
  const auto tokens = random_text(100'000);
  Trainer trainer(model, tokens, training, workers);
  trainer.step();  // fills the pools
  for (auto _ : state) trainer.step();
  state.SetItemsProcessed(state.iterations() * training.batch_size * settings.block_size);
  set_product_rate(state, model, training.batch_size * settings.block_size, 6);
}

/// nanoGPT's recipe for a CPU: 4 layers, 4 heads, width 128, context 64, batch 12, GPT's own choices.
void babygpt(benchmark::State& state, int threads) {
  ModelSettings settings = paper_settings("csa", 128);
  settings.n_layer = 4;
  settings.n_head = 4;
  settings.block_size = 64;
  settings.activation = Activation::gelu;
  settings.init = Initialization::gpt;
  settings.score_scale = ScoreScale::head;
  settings.tie_embeddings = true;
  TrainingSettings recipe;
  recipe.batch_size = 12;
  recipe.learning_rate = {1e-3, 1e-4, 100, 2000};
  recipe.adamw.beta2 = 0.99;
  recipe.adamw.weight_decay = 0.1;
  recipe.adamw.decay_all = false;
  training(state, settings, recipe, threads);
}

/// Characters drawn one at a time, up to a full context.
void sampling(benchmark::State& state, const std::string& attention, Index context) {
  ModelSettings settings = paper_settings(attention, 128);
  settings.n_layer = 4;
  settings.n_head = 4;
  settings.block_size = context;
  const GPT model(settings, 1);
  for (auto _ : state) {
    Sampler sampler(model, {}, {0});
    for (Index i = 0; i < context; ++i) benchmark::DoNotOptimize(sampler.next());
  }
  state.SetItemsProcessed(state.iterations() * context);
}

using Product = decltype(gemm);

/// [m, k] x [k, n] with the second matrix transposed, as in a linear layer, on each thread.
void product(benchmark::State& state, Product* multiply, Index m, Index n, Index k) {
  const Tensor a = Tensor::full({m, k}, 1), b = Tensor::full({n, k}, 1);
  Tensor c({m, n});
  for (auto _ : state) {
    multiply(false, true, m, n, k, 1, a.data(), k, b.data(), k, 0, c.data(), n);
    benchmark::ClobberMemory();
  }
  // Google Benchmark adds the threads' counters, and their iterations.
  using benchmark::Counter;
  state.counters[BenchReport::rate] =
      Counter(static_cast<double>(2 * m * n * k) * 1e-9,
              static_cast<Counter::Flags>(Counter::kIsIterationInvariantRate | Counter::kAvgThreads));
}

/// The paper's circuit on one thread: 2^wires strings measured for 1,024 tokens, and the gradient.
void circuit(benchmark::State& state, int wires, bool gradient) {
  const Circuit circuit = qisa_circuit(wires);
  const Index width = circuit.dimension(), tokens = 1024;
  Random random(1, Purpose::tests);
  Tensor angles({1, circuit.angles()}), rows({tokens, width});
  for (Real& angle : angles.values()) angle = static_cast<Real>(random.uniform(-std::numbers::pi, std::numbers::pi));
  for (Real& value : rows.values()) value = static_cast<Real>(random.normal());
  const std::vector<std::vector<PauliString>> strings = {draw_pauli_strings(random, wires, static_cast<int>(width))};
  const BankProgram bank(circuit, strings);
  Tensor d_rows = Tensor::zeros(rows.shape()), d_angles = Tensor::zeros(angles.shape());
  for (auto _ : state) {
    const Tensor values = measure_circuits(bank, bank.bind(angles), rows);
    if (gradient) measure_circuits_backward(bank, angles, rows, values, &d_rows, &d_angles);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * tokens);
}

void register_benchmarks(int threads) {
  const auto add = [](const std::string& name, auto function, auto... arguments) {
    return benchmark::RegisterBenchmark(name.c_str(), function, arguments...)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  };
  for (const Index n_embd : {16, 128}) {
    for (const MechanismEntry& mechanism : mechanisms()) {
      const ModelSettings settings = paper_settings(mechanism.name, n_embd);
      TrainingSettings steps;
      steps.batch_size = paper_batch(n_embd);
      steps.dropout = 0.2;
      const std::string name = fmt::format("{}/embd:{}", mechanism.name, n_embd);
      add("inference/" + name, inference, settings, steps.batch_size, CircuitKernel::fused, threads);
      add("training/" + name, training, settings, steps, threads);
    }
    add(fmt::format("inference/qisa-v3-stepwise/embd:{}", n_embd), inference, paper_settings("qisa-v3", n_embd),
        paper_batch(n_embd), CircuitKernel::stepwise, threads);
  }
  add("training/babygpt", babygpt, threads);
  for (const char* attention : {"csa", "qisa-v3"}) {
    for (const Index context : {64, 256}) {
      add(fmt::format("sample/{}/context:{}", attention, context), sampling, attention, context);
    }
  }
  const auto add_products = [&](const char* kind, Product* multiply) {
    const auto add_product = [&](Index out, Index in) {
      const std::string name = fmt::format("{}/512x{}x{}", kind, out, in);
      add(name, product, multiply, Index{512}, out, in)->Threads(threads);
    };
    for (const Index width : {16, 128}) {
      for (const Index out : {width, 3 * width, 4 * width}) add_product(out, width);
    }
    add_product(512, 512);
  };
  add_products("gemm", blas_gemm);  // what BLAS does alone
  add_products("product", gemm);    // what the layers have in its place
  for (int wires = 2; wires <= 12; ++wires) {
    add(fmt::format("circuit/{}", wires), circuit, wires, false);
    add(fmt::format("circuit/{}/gradient", wires), circuit, wires, true);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    int threads = available_processors();
    CLI::App app("Benchmarks. Further options are Google Benchmark's, for example --benchmark_filter=REGEX.", "bench");
    app.add_option("--threads", threads, "threads of inference, training and products")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.allow_extras();
    app.prefix_command(false);
    parse_or_exit(app, argc, argv);
    fmt::print("{}, {}\n", counted(threads, "thread"), blas_description());
    if (const std::string advice = blas_advice(); !advice.empty()) fmt::print("{}\n", advice);
    register_benchmarks(threads);
    std::vector<std::string> rest = app.remaining();
    std::vector<char*> arguments{argv[0]};
    for (std::string& argument : rest) arguments.push_back(argument.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    BenchReport report;
    benchmark::RunSpecifiedBenchmarks(&report);
    report.print_table();
    return 0;
  });
}
