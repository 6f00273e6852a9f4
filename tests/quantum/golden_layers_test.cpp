// Circuits of the published reference: files layer_circuit_n*.safetensors with inputs, states, matrices,
// expectation values and gradients, in the folder QISA_GOLDEN_DIR (default: tests/golden).
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "quantum/fast/adjoint.hpp"
#include "quantum/fast/fused.hpp"
#include "quantum/fast/program.hpp"
#include "tensor/files/safetensors.hpp"
#include "tests/catch.hpp"

using namespace qisa;

namespace golden_layers_test {

constexpr bool is_double = sizeof(Real) == 8;

std::vector<std::filesystem::path> golden_files() {
  const char* chosen = std::getenv("QISA_GOLDEN_DIR");
  const std::filesystem::path folder = chosen != nullptr ? chosen : QISA_SOURCE_DIR "/tests/golden";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("layer_circuit_n")) files.push_back(entry.path());
  }
  INFO("golden files layer_circuit_n*.safetensors in " << folder);
  REQUIRE(!files.empty());
  return files;
}

/// The largest difference of entries; infinite when the sizes differ or an entry is not a number.
double distance(const Tensor& a, const Tensor& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
  }
  return largest;
}

double largest_entry(const Tensor& a) {
  double largest = 1;
  for (const Real value : a.values()) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest;
}

/// The layers of the paper's circuit as far as a stored state: 0, RX and RY; 1, CNOT too; 2, all.
Circuit circuit_up_to(int wires, int layers) {
  const Circuit whole = qisa_circuit(wires);
  Circuit circuit(wires);
  for (const Operation& operation : whole.operations()) {
    const int layer = operation.gate == Gate::CNOT ? 1 : operation.angle >= 2 * wires ? 2 : 0;
    if (layer > layers) continue;
    operation.control < 0 ? circuit.add(operation.gate, operation.target)
                          : circuit.add(operation.gate, operation.control, operation.target);
  }
  return circuit;
}

/// Final states [T, 2^n, 2] of a circuit on encoded inputs, stored as [T, 2^n, 2] with zero imaginary parts.
Tensor run(const Circuit& circuit, const Tensor& angles, const Tensor& encoded) {
  const Program program(circuit);
  const Index dimension = circuit.dimension();
  Tensor input({dimension, lane_count}), state({dimension, 2, lane_count}), result(encoded.shape());
  REQUIRE(encoded.shape() == Shape{lane_count, dimension, 2});
  for (Index i = 0; i < dimension * lane_count; ++i) {
    input[i % dimension * lane_count + i / dimension] = encoded[2 * i];
  }
  program.run(program.bind(angles.data()), input.data(), Tensor::full({lane_count}, 1).data(), state.data());
  for (Index i = 0; i < result.size(); ++i) {
    const Index amplitude = i / 2 % dimension, token = i / 2 / dimension;
    result[i] = state[program.offsets()[static_cast<std::size_t>(amplitude)] + i % 2 * lane_count + token];
  }
  return result;
}

/// U [2^n, 2^n, 2] of a circuit: its column j is what becomes of basis state j.
Tensor unitary(const Circuit& circuit, const Tensor& angles) {
  const Index dimension = circuit.dimension();
  Tensor result({dimension, dimension, 2});
  for (Index first = 0; first < dimension; first += lane_count) {
    const Index count = std::min(lane_count, dimension - first);
    Tensor basis = Tensor::zeros({lane_count, dimension, 2});
    for (Index j = 0; j < count; ++j) basis[(j * dimension + first + j) * 2] = 1;
    const Tensor columns = run(circuit, angles, basis);
    for (Index i = 0; i < 2 * count * dimension; ++i) {
      const Index row = i / 2 % dimension, column = first + i / 2 / dimension;
      result[(row * dimension + column) * 2 + i % 2] = columns[i];
    }
  }
  return result;
}

/// x^T Re(O) x / |x|^2 of each row x [tokens, C] and each matrix O [strings, 2^n, 2^n, 2].
Tensor forms(const Tensor& x, const Tensor& matrices) {
  const Index tokens = x.shape()[0], width = x.shape()[1], count = matrices.shape()[0], dimension = matrices.shape()[1];
  Tensor result({tokens, count});
  for (Index t = 0; t < tokens; ++t) {
    double norm = 0;
    for (Index i = 0; i < width; ++i) norm += double(x[t * width + i]) * double(x[t * width + i]);
    for (Index m = 0; m < count; ++m) {
      double sum = 0;
      for (Index i = 0; i < width; ++i) {
        for (Index j = 0; j < width; ++j) {
          sum += double(x[t * width + i]) * double(x[t * width + j]) *
                 double(matrices[((m * dimension + i) * dimension + j) * 2]);
        }
      }
      result[t * count + m] = static_cast<Real>(sum / norm);
    }
  }
  return result;
}

TEST_CASE("Circuit layers agree with the published reference") {
  const double tolerance = is_double ? 1e-10 : 5e-6, gradient_tolerance = is_double ? 1e-10 : 1e-5;
  for (const auto& path : golden_files()) {
    INFO(path);
    const SafetensorsFile file = SafetensorsFile::read(path);
    const Tensor x = file.tensor("input/x"), c = file.tensor("input/c"), encoded = file.tensor("state/encoded");
    const int wires = std::stoi(file.metadata().at("n_wires"));
    const Circuit circuit = qisa_circuit(wires);
    std::vector<PauliString> strings;
    for (const std::string text : nlohmann::json::parse(file.metadata().at("pauli_strings")))
      strings.emplace_back(text);
    const auto bank = std::make_shared<BankProgram>(circuit, std::vector<std::vector<PauliString>>{strings});

    Tensor angles({1, circuit.angles()});
    const std::vector<std::string> names = {"rx0", "ry0", "ry1"};
    for (Index group = 0; group < 3; ++group) {
      const Tensor values = file.tensor("param/" + names[static_cast<std::size_t>(group)]);
      std::copy_n(values.data(), wires, angles.data() + group * wires);
    }

    CHECK(distance(run(circuit_up_to(wires, 0), angles, encoded), file.tensor("state/after_rx_ry")) < tolerance);
    CHECK(distance(run(circuit_up_to(wires, 1), angles, encoded), file.tensor("state/after_cnot")) < tolerance);
    CHECK(distance(run(circuit, angles, encoded), file.tensor("state/final")) < tolerance);

    const Tensor expectation = measure_circuits(*bank, bank->bind(angles), x);
    CHECK(distance(expectation, file.tensor("output/expectation")) < tolerance);
    const std::vector<std::vector<PauliString>> z0 = {
        {PauliString("Z" + std::string(static_cast<std::size_t>(wires) - 1, 'I'))}};
    const BankProgram first(circuit, z0);
    CHECK(distance(measure_circuits(first, first.bind(angles), x), file.tensor("output/z0")) < tolerance);

    CHECK(distance(Fused(bank, angles).measure(x), file.tensor("output/expectation_fast")) < tolerance);
    CHECK(distance(unitary(circuit, angles), file.tensor("matrix/U")) < tolerance);
    CHECK(distance(Fused(bank, angles).measure(x), forms(x, file.tensor("matrix/O_prime"))) < tolerance);

    Tensor grad_out(expectation.shape()), grad_x = Tensor::zeros(x.shape()),
                                          grad_angles = Tensor::zeros(angles.shape());
    for (Index i = 0; i < grad_out.size(); ++i) grad_out[i] = c[i % c.size()];
    measure_circuits_backward(*bank, angles, x, grad_out, &grad_x, &grad_angles);
    const Tensor expected_x = file.tensor("grad/x");
    CHECK(distance(grad_x, expected_x) < gradient_tolerance * largest_entry(expected_x));
    for (Index group = 0; group < 3; ++group) {
      const Tensor expected = file.tensor("grad/" + names[static_cast<std::size_t>(group)]);
      CHECK(distance(grad_angles.part(group * wires, {wires}), expected) <
            gradient_tolerance * largest_entry(expected));
    }
  }
}

}  // namespace golden_layers_test
