// Quadratic forms of Pauli strings: against the published reference (files layer_qisa_n*.safetensors in
// the folder QISA_GOLDEN_DIR, default tests/golden), dense matrices and finite differences.
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "autograd/backward.hpp"
#include "autograd/gradient_check.hpp"
#include "autograd/operations.hpp"
#include "quantum/circuit_bank.hpp"
#include "tensor/files/safetensors.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

using namespace qisa;

namespace quadratic_form_test {

constexpr bool is_double = sizeof(Real) == 8;
constexpr CircuitKernel kernels[] = {CircuitKernel::stepwise, CircuitKernel::adjoint, CircuitKernel::fused};
using Strings = std::vector<std::vector<PauliString>>;

/// The largest difference of entries relative to max(1, largest entry of b); infinite when sizes differ
/// or an entry is not a number.
double distance(const Tensor& a, const Tensor& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0, scale = 1;
  for (Index i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= largest)) largest = std::isnan(difference) ? INFINITY : difference;
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
  }
  return largest / scale;
}

Tensor random_tensor(Random& random, const Shape& shape) {
  Tensor x(shape);
  for (Real& value : x.values()) value = static_cast<Real>(random.normal());
  return x;
}

/// Three heads on three wires: mixed strings with a repeated one, odd numbers of Y only, a single string.
Strings three_heads() {
  const auto strings = [](std::initializer_list<const char*> texts) {
    return std::vector<PauliString>(texts.begin(), texts.end());
  };
  return {strings({"ZII", "IYI", "YXY", "ZII", "XYZ", "XXI"}), strings({"YII", "XYX"}), strings({"IZZ"})};
}
constexpr Index outputs = 9;

/// y^T P y of columns first … first + width - 1 of a row, by the dense matrix of P.
double dense_form(const Tensor& y, Index row, Index first, Index width, const PauliString& string) {
  dense::Vector state(std::size_t{1} << string.wires());
  for (Index k = 0; k < width; ++k) {
    state[static_cast<std::size_t>(k)] = static_cast<double>(y[row * y.shape()[1] + first + k]);
  }
  return dense::inner(state, dense::pauli_string(string.text()) * state).real();
}

TEST_CASE("Quadratic forms agree with the value layer of the published reference") {
  const char* chosen = std::getenv("QISA_GOLDEN_DIR");
  const std::filesystem::path folder = chosen != nullptr ? chosen : QISA_SOURCE_DIR "/tests/golden";
  const double tolerance = is_double ? 1e-10 : 1e-5;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("layer_qisa_n")) continue;
    ++files;
    INFO(entry.path());
    const SafetensorsFile file = SafetensorsFile::read(entry.path());
    std::vector<PauliString> strings;
    for (const std::string text : nlohmann::json::parse(file.metadata().at("pauli_strings")))
      strings.emplace_back(text);
    const CircuitBank forms = quadratic_forms(Strings{strings});
    const Index count = std::ssize(strings);

    const Tensor weight = file.tensor("param/v_linear.weight"), c = file.tensor("input/c");
    for (const CircuitKernel kernel : kernels) {
      INFO("kernel " << static_cast<int>(kernel));
      const Variable x = Variable::leaf(file.tensor("input/x")), w = Variable::leaf(weight);
      const Variable v = forms.measure(linear(x, w), kernel);
      CHECK(distance(v.value(), file.tensor("output/expectation")) < tolerance);
      CHECK(distance(v.value(), file.tensor("output/expectation_fast")) < tolerance);
      backward(sum(v * Variable(c.reshape({1, count}))));
      CHECK(distance(x.gradient(), file.tensor("grad/x")) < tolerance);
      CHECK(distance(w.gradient(), file.tensor("grad/v_linear.weight")) < tolerance);
    }

    // The stored matrices O' = W^T P W, complex and padded, give the same values as forms of x.
    const Tensor matrices = file.tensor("matrix/O_prime"), x = file.tensor("input/x");
    const Index dimension = matrices.shape()[1], width = x.shape()[1];
    Tensor by_matrices = Tensor::zeros({x.shape()[0], count});
    for (Index i = 0; i < x.shape()[0] * count * width * width; ++i) {
      const Index token = i / (count * width * width), m = i / (width * width) % count;
      const Index row = i / width % width, column = i % width;
      by_matrices[token * count + m] += x[token * width + row] * x[token * width + column] *
                                        matrices[((m * dimension + row) * dimension + column) * 2];
    }
    CHECK(distance(forms.measure(linear(Variable(x), Variable(weight))).value(), by_matrices) < tolerance);
  }
  INFO("golden files layer_qisa_n*.safetensors in " << folder);
  REQUIRE(files > 0);
}

TEST_CASE("Quadratic forms of several heads are y^T P y with the dense matrix, narrow and ragged inputs included") {
  Random random(1, Purpose::tests);
  const Strings strings = three_heads();
  const CircuitBank forms = quadratic_forms(strings);
  for (const Index tokens : {1, 16, 21}) {
    for (const Index width : {8, 5}) {
      const Tensor y = random_tensor(random, {tokens, 3 * width});
      Tensor expected({tokens, outputs});
      Real* next = expected.data();
      for (Index row = 0; row < tokens; ++row) {
        for (Index head = 0; head < 3; ++head) {
          for (const PauliString& string : strings[static_cast<std::size_t>(head)]) {
            *next++ = static_cast<Real>(dense_form(y, row, head * width, width, string));
          }
        }
      }
      for (const CircuitKernel kernel : kernels) {
        INFO(tokens << " tokens, width " << width << ", kernel " << static_cast<int>(kernel));
        const Tensor v = forms.measure(Variable(y), kernel).value();
        REQUIRE(v.shape() == Shape{tokens, outputs});
        CHECK(distance(v, expected) < (is_double ? 1e-14 : 1e-6));
      }
    }
  }
}

TEST_CASE("Quadratic forms of no tokens are no rows") {
  const CircuitBank forms = quadratic_forms(three_heads());
  CHECK(forms.measure(Variable(Tensor({0, 24})), CircuitKernel::adjoint).shape() == Shape{0, outputs});
}

TEST_CASE("A string with an odd number of Y measures exactly 0, and nothing flows back through it") {
  Random random(2, Purpose::tests);
  const CircuitBank forms = quadratic_forms(Strings{three_heads()[1]});
  for (const CircuitKernel kernel : kernels) {
    const Variable y = Variable::leaf(random_tensor(random, {18, 8}));
    const Variable v = forms.measure(y, kernel);
    backward(sum(v));
    for (const Real value : v.value().values()) CHECK(value == 0);
    for (const Real value : y.gradient().values()) CHECK(value == 0);
  }
}

TEST_CASE("The gradient of a quadratic form is that of finite differences, added to what is there") {
  // Of a form of second degree the central difference is exact for any step, so that float can tell too.
  Random random(3, Purpose::tests);
  const CircuitBank forms = quadratic_forms(three_heads());
  for (const Index width : {8, 5}) {
    for (const CircuitKernel kernel : kernels) {
      const std::vector<Tensor> inputs = {random_tensor(random, {18, 3 * width})};
      const auto found = check_gradients(
          [&](std::span<const Variable> in) {
            return concat(std::vector{forms.measure(in[0], kernel), in[0], forms.measure(in[0], kernel)}, 1);
          },
          inputs, 0.5);
      INFO("width " << width << ", kernel " << static_cast<int>(kernel) << ", element " << found.element);
      CHECK(found.compared == 18 * 3 * width);
      CHECK(found.error < (is_double ? 1e-10 : 2e-3));
    }
  }
}

TEST_CASE("The gradient of a quadratic form does not need the object: another one in its place changes nothing") {
  Random random(5, Purpose::tests);
  const Tensor y = random_tensor(random, {18, 24});
  const auto gradient = [&](CircuitKernel kernel, bool replaced) {
    const Variable leaf = Variable::leaf(y);
    std::optional<CircuitBank> forms = quadratic_forms(three_heads());
    const Variable v = sum(forms->measure(leaf, kernel));
    if (replaced) forms = quadratic_forms(Strings{{PauliString("XX")}});
    backward(v);
    return leaf.gradient();
  };
  for (const CircuitKernel kernel : kernels) CHECK(distance(gradient(kernel, true), gradient(kernel, false)) == 0);
}

TEST_CASE("Quadratic forms refuse strings and shapes that disagree") {
  using Catch::Matchers::Message;
  CHECK_THROWS_MATCHES(quadratic_forms(Strings{}), Error, Message("quadratic forms need at least one Pauli string"));
  CHECK_THROWS_MATCHES(quadratic_forms(Strings{{PauliString("XI")}, {PauliString("XII")}}), Error,
                       Message("Pauli string \"XII\" has 3 characters for 2 wires"));
  const CircuitBank forms = quadratic_forms(three_heads());
  for (const CircuitKernel kernel : kernels) {
    CHECK_THROWS_AS(forms.measure(Variable(Tensor({2, 27})), kernel), Error);
    CHECK_THROWS_AS(forms.measure(Variable(Tensor({2, 8})), kernel), Error);
    CHECK_THROWS_AS(forms.measure(Variable(Tensor({24})), kernel), Error);
  }
  CHECK_THROWS_MATCHES(forms.measure(Variable(Tensor({2, 27})), CircuitKernel::adjoint), Error,
                       Message("inputs [2, 27] must be [T, 3 C] with C at most 8, the amplitudes of 3 wires"));
}

}  // namespace quadratic_form_test
