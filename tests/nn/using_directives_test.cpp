// A user's file may open both std and qisa: no name of one hides or contradicts that of the other.
#include <algorithm>
#include <chrono>
#include <complex>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <ranges>
#include <regex>
#include <set>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <valarray>
#include <variant>
#include <vector>

#include "autograd/attention.hpp"
#include "autograd/backward.hpp"
#include "autograd/gradient_check.hpp"
#include "autograd/operations.hpp"
#include "autograd/variable.hpp"
#include "nn/attention/head_circuits.hpp"
#include "nn/attention/mechanism.hpp"
#include "nn/attention/self_attention.hpp"
#include "nn/files/checkpoint.hpp"
#include "nn/files/published_checkpoint.hpp"
#include "nn/gpt.hpp"
#include "nn/layers.hpp"
#include "nn/parameters.hpp"
#include "nn/pass.hpp"
#include "nn/sampler.hpp"
#include "nn/setting_text.hpp"
#include "nn/settings.hpp"
#include "nn/text/builtin_corpus.hpp"
#include "nn/text/grammar.hpp"
#include "nn/text/text_data.hpp"
#include "nn/text/text_file.hpp"
#include "nn/text/text_metrics.hpp"
#include "nn/text/tokenizer.hpp"
#include "nn/text/utf8.hpp"
#include "nn/training/adamw.hpp"
#include "nn/training/audit.hpp"
#include "nn/training/evaluation.hpp"
#include "nn/training/trainer.hpp"
#include "nn/training/workers.hpp"
#include "quantum/circuit.hpp"
#include "quantum/circuit_bank.hpp"
#include "quantum/gate.hpp"
#include "quantum/pairs.hpp"
#include "quantum/pauli.hpp"
#include "quantum/stepwise.hpp"
#include "quantum/text/drawing.hpp"
#include "quantum/text/openqasm.hpp"
#include "tensor/activation.hpp"
#include "tensor/dropout_stream.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/error.hpp"
#include "tensor/files/atomic_file.hpp"
#include "tensor/files/descriptor.hpp"
#include "tensor/files/json.hpp"
#include "tensor/files/safetensors.hpp"
#include "tensor/files/safetensors_header.hpp"
#include "tensor/files/safetensors_writer.hpp"
#include "tensor/random.hpp"
#include "tensor/real.hpp"
#include "tensor/shape.hpp"
#include "tensor/tensor.hpp"
#include "tensor/version.hpp"
#include "tests/catch.hpp"

namespace using_directives_test {

using namespace std;
using namespace qisa;

/// The files of the repository that a file includes, directly or not, and itself.
void add_included(const string& file, set<string>& files) {
  if (!files.insert(file).second) return;
  ifstream lines(string(QISA_SOURCE_DIR) + "/" + file);
  REQUIRE(lines.good());
  const string begin = "#include \"";
  for (string line; getline(lines, line);) {
    if (line.starts_with(begin)) add_included(line.substr(begin.size(), line.rfind('"') - begin.size()), files);
  }
}

// A user who compiles for another processor would disagree with the library on how functions pass vectors.
TEST_CASE("vector types stay behind the public headers") {
  set<string> files;
  add_included("tests/nn/using_directives_test.cpp", files);
  CHECK(files.count("tensor/tensor.hpp") == 1);
  for (const char* kernel : {"tensor/fast/vector.hpp", "tensor/fast/lanes.hpp"}) CHECK(files.count(kernel) == 0);
}

TEST_CASE("std and qisa may be opened together") {
  const Real tolerance = Real(1e-5);
  Random random(1, Purpose::tests);
  Tensor numbers(Shape{2, 2});
  for (Real& number : numbers.values()) number = static_cast<Real>(random.uniform(1, 2));
  const Tensor products = zip_elements("test", numbers, map_elements(numbers, [](Real x) { return 1 / x; }),
                                       [](Real x, Real y) { return x * y; });
  CHECK(abs(sum_to(products, {}).item() - 4) < tolerance);
  CHECK(sum(products, 0).shape() == broadcast("test", {2}, {1}));
  CHECK(transpose(products, 0, 1).shape() == Shape{2, 2});
  CHECK_THROWS_AS(require(false, "{}", 1), Error);
  CHECK_THROWS_AS(throw_error("{}", 1), Error);

  const Variable x = Variable::leaf(numbers), row(Tensor({2}, {1, 2}));
  const vector<Variable> parts = {x, x};
  const vector<int32_t> targets = {0, 1};
  DropoutStream stream;
  Variable y = exp(log(sqrt(x * x))) + tanh(sin(x)) - cos(x) / relu(x) + gelu(-x);
  y = add(subtract(y, x), multiply(divide(x, x), scale(x, 2)));
  y = layer_norm(matmul(y, transpose(x, 0, 1)), row, row) + linear(x, x) +
      activated_linear(x, x, row, Activation::gelu);
  y = add_dropout(narrow(concat(parts, 0), 0, 1, 2), dropout(y, Real(0.5), stream), 0, stream);
  y = softmax(gather(reshape(y, {2, 2}), targets));
  backward(cross_entropy(y, targets) + sum(y) + mean(sum(y, 0)) + mean(mean(y, 1)));
  CHECK(isfinite(x.gradient()[0]));
  CHECK(is_recording());
  CHECK_FALSE(to_dot(x).empty());
  const vector<Tensor> points = {numbers};
  CHECK(check_gradients([](span<const Variable> in) { return sin(in[0]); }, points, 0.01).compared == 4);
  const NoGradient off;
  CHECK_FALSE(is_recording());
}

TEST_CASE("std and qisa may be opened together: circuits and models") {
  Circuit circuit(2);
  circuit.add(Gate::H, 0).add(Gate::RX, 1).add(Gate::CNOT, 0, 1);
  const vector<PauliString> strings = {PauliString("ZX")};
  const Variable angles(Tensor({1}, {1})), row(Tensor({1, 4}, {1, 0, 0, 0}));
  const Variable states = apply_circuit(circuit, encode_amplitudes(row, 2), angles);
  CHECK(expectation_values(states, strings).shape() == Shape{1, 1});
  CHECK(gate_name(Gate::H) == "H");
  CHECK(wires_for(4) == 2);
  CHECK_FALSE(draw(circuit).empty());
  CHECK_FALSE(openqasm(circuit, vector<double>{1}).empty());

  Parameters parameters;
  const Parameter weight = parameters.add("weight", {2, 2}, Initial::normal(1));
  parameters.initialize(1);
  CHECK(weight.shape.size() == parameters.size());
  ModelSettings settings;
  CHECK(settings.n_layer > 0);
  CHECK_FALSE(mechanisms().empty());
  CHECK_FALSE(encode_utf8(U"a").empty());
}

}  // namespace using_directives_test
