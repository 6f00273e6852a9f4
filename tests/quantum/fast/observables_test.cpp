// Observables against dense Pauli matrices: expectation values and their gradient.
#include "quantum/fast/observables.hpp"

#include "quantum/fast/program.hpp"
#include "tensor/error.hpp"
#include "tensor/tensor.hpp"
#include "tests/catch.hpp"
#include "tests/quantum/dense.hpp"

using namespace qisa;

namespace observables_test {

constexpr double tolerance = sizeof(Real) == 8 ? 1e-13 : 2e-6;

/// All 4^wires strings, I … I among them.
std::vector<PauliString> all_strings(int wires) {
  std::vector<PauliString> strings;
  for (int code = 0; code < 1 << (2 * wires); ++code) {
    std::string text;
    for (int wire = 0; wire < wires; ++wire) text += "IXYZ"[code >> (2 * wire) & 3];
    strings.emplace_back(text);
  }
  return strings;
}

/// Strings whose characters are all equally likely.
std::vector<PauliString> random_strings(Random& random, int wires, int count) {
  std::vector<PauliString> strings;
  for (int m = 0; m < count; ++m) {
    std::string text;
    for (int wire = 0; wire < wires; ++wire) text += "IXYZ"[random.below(4)];
    strings.emplace_back(text);
  }
  return strings;
}

/// lane_count random states, as dense vectors and as a block whose amplitudes lie in a random order.
struct States {
  std::vector<dense::Vector> vectors;
  std::vector<Index> offsets;
  Tensor block;

  States(Random& random, int wires) : block({Index{1} << wires, 2, lane_count}) {
    const Index dimension = Index{1} << wires;
    for (Index k = 0; k < dimension; ++k) offsets.insert(offsets.begin() + random.below(k + 1), k * amplitude_size);
    for (Index t = 0; t < lane_count; ++t) {
      vectors.push_back(dense::random_state(random, wires));
      for (std::size_t k = 0; k < offsets.size(); ++k) {
        block[offsets[k] + t] = static_cast<Real>(vectors.back()[k].real());
        block[offsets[k] + lane_count + t] = static_cast<Real>(vectors.back()[k].imag());
      }
    }
  }
};

std::vector<PauliString> strings_for(Random& random, int wires) {
  return wires <= 3 ? all_strings(wires) : random_strings(random, wires, 60);
}

TEST_CASE("Pauli expectations of a block are those of dense matrices") {
  Random random(1, Purpose::tests);
  for (int wires = 1; wires <= 5; ++wires) {
    const States states(random, wires);
    const std::vector<PauliString> strings = strings_for(random, wires);
    const Observables observables(strings, states.offsets);
    Tensor expectations({observables.count(), lane_count}), scratch({observables.scratch_size()});
    observables.measure(states.block.data(), expectations.data(), scratch.data());
    double largest = 0;
    for (Index m = 0; m < observables.count(); ++m) {
      const dense::Matrix pauli = dense::pauli_string(strings[static_cast<std::size_t>(m)].text());
      for (Index t = 0; t < lane_count; ++t) {
        const dense::Vector& psi = states.vectors[static_cast<std::size_t>(t)];
        const double expected = dense::inner(psi, pauli * psi).real();
        largest = std::max(largest, std::abs(expected - static_cast<double>(expectations[m * lane_count + t])));
      }
    }
    INFO(wires << " wires");
    CHECK(largest < tolerance);
  }
}

TEST_CASE("The gradient of weighted Pauli expectations is 2 sum w P psi") {
  Random random(2, Purpose::tests);
  for (int wires = 1; wires <= 5; ++wires) {
    const States states(random, wires);
    const std::vector<PauliString> strings = strings_for(random, wires);
    const Observables observables(strings, states.offsets);
    Tensor weights({observables.count(), lane_count}), scratch({observables.scratch_size()});
    for (Real& weight : weights.values()) weight = static_cast<Real>(random.uniform(-0.1, 0.1));
    Tensor gradient(states.block.shape());
    observables.gradient(weights.data(), states.block.data(), gradient.data(), scratch.data());
    double largest = 0;
    for (Index t = 0; t < lane_count; ++t) {
      const dense::Vector& psi = states.vectors[static_cast<std::size_t>(t)];
      dense::Vector expected(psi.size()), computed(psi.size());
      for (Index m = 0; m < observables.count(); ++m) {
        const dense::Matrix pauli = dense::pauli_string(strings[static_cast<std::size_t>(m)].text());
        const dense::Vector p_psi = pauli * psi;
        for (std::size_t k = 0; k < psi.size(); ++k)
          expected[k] += 2.0 * static_cast<double>(weights[m * lane_count + t]) * p_psi[k];
      }
      for (std::size_t k = 0; k < psi.size(); ++k) {
        const Index at = states.offsets[k] + t;
        computed[k] = {static_cast<double>(gradient[at]), static_cast<double>(gradient[at + lane_count])};
      }
      largest = std::max(largest, dense::distance(expected, computed));
    }
    INFO(wires << " wires");
    CHECK(largest < 10 * tolerance);
  }
}

TEST_CASE("Repeated Pauli strings each get their expectation, and their weights add up") {
  Random random(3, Purpose::tests);
  const States states(random, 2);
  const Observables observables(std::vector{PauliString("XY"), PauliString("ZI"), PauliString("XY")}, states.offsets);
  Tensor expectations({3, lane_count}), scratch({observables.scratch_size()});
  observables.measure(states.block.data(), expectations.data(), scratch.data());
  const Observables once(std::vector{PauliString("XY")}, states.offsets);
  Tensor gradient(states.block.shape()), doubled(states.block.shape());
  Tensor weights = Tensor::zeros({3, lane_count});
  for (Index t = 0; t < lane_count; ++t) {
    CHECK(expectations[t] == expectations[2 * lane_count + t]);
    weights[t] = 1;
    weights[2 * lane_count + t] = 2;
  }
  observables.gradient(weights.data(), states.block.data(), gradient.data(), scratch.data());
  once.gradient(Tensor::full({lane_count}, 3).data(), states.block.data(), doubled.data(), scratch.data());
  for (Index i = 0; i < gradient.size(); ++i) CHECK(gradient[i] == Approx(doubled[i]).margin(tolerance));
}

TEST_CASE("In real states strings with an odd number of Y measure exactly 0 and have no gradient, the others as ever") {
  Random random(4, Purpose::tests);
  for (int wires = 1; wires <= 4; ++wires) {
    States states(random, wires);
    for (const Index offset : states.offsets)
      std::fill_n(states.block.data() + offset + lane_count, lane_count, Real(0));
    const std::vector<PauliString> strings = strings_for(random, wires);
    const Observables any(strings, states.offsets), real(strings, states.offsets, true);
    const auto measure = [&](const Observables& observables) {
      Tensor expectations({observables.count(), lane_count}), scratch({observables.scratch_size()});
      observables.measure(states.block.data(), expectations.data(), scratch.data());
      return expectations;
    };
    const auto gradient = [&](const Observables& observables, const Tensor& weights) {
      Tensor result(states.block.shape()), scratch({observables.scratch_size()});
      observables.gradient(weights.data(), states.block.data(), result.data(), scratch.data());
      return result;
    };
    Tensor even = Tensor::full({any.count(), lane_count}, 1), odd = even.clone();
    for (Index m = 0; m < any.count(); ++m) {
      const bool is_real = strings[static_cast<std::size_t>(m)].is_real();
      std::fill_n((is_real ? odd : even).data() + m * lane_count, lane_count, Real(0));
    }
    INFO(wires << " wires");
    const Tensor expected = measure(any), found = measure(real);
    for (Index i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(tolerance));
    for (Index i = 0; i < found.size(); ++i) CHECK((odd[i] == 0 || found[i] == 0));
    const Tensor expected_gradient = gradient(any, even), found_gradient = gradient(real, even);
    for (Index i = 0; i < found_gradient.size(); ++i) {
      CHECK(found_gradient[i] == Approx(expected_gradient[i]).margin(20 * tolerance));
    }
    for (const Real value : gradient(real, odd).values()) CHECK(value == 0);
  }
}

TEST_CASE("Observables refuse no strings, and strings that are too long or too short") {
  const std::vector<Index> offsets = {0, 32, 64, 96};
  CHECK_THROWS_WITH(Observables({}, offsets), "observables need at least one Pauli string");
  CHECK_THROWS_WITH(Observables(std::vector{PauliString("XY"), PauliString("XYZ")}, offsets),
                    "Pauli string \"XYZ\" has 3 characters for 2 wires");
  CHECK_THROWS_WITH(Observables(std::vector{PauliString("X")}, offsets),
                    "Pauli string \"X\" has 1 characters for 2 wires");
}

}  // namespace observables_test
