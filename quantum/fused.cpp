#include "quantum/fused.hpp"

#include <algorithm>
#include <complex>

#include "quantum/adjoint.hpp"

namespace qisa {

Fused::Fused(Program program, const Tensor& angles, std::span<const Observables> observables)
    : program_(std::move(program)),
      circuits_(bind_circuits(program_, angles, observables)),
      observables_(observables.begin(), observables.end()) {}

Tensor Fused::measure(const Tensor& rows) const { return measure_circuits(program_, circuits_, observables_, rows); }

// Column j of U is what becomes of basis state j; B of them are a block.
Tensor Fused::unitary(Index circuit) const {
  const Index dimension = program_.dimension(), size = dimension * dimension;
  Tensor result({2, dimension, dimension}), basis({dimension, B}), state({dimension, 2, B});
  const Tensor ones = Tensor::full({B}, 1);
  for (Index first = 0; first < dimension; first += B) {
    const Index count = std::min(B, dimension - first);
    basis.fill(0);
    for (Index j = 0; j < count; ++j) basis[(first + j) * B + j] = 1;
    program_.run(circuits_[static_cast<std::size_t>(circuit)], basis.data(), ones.data(), state.data());
    for (Index k = 0; k < dimension; ++k) {
      const Real* amplitude = state.data() + program_.offsets()[static_cast<std::size_t>(k)];
      std::copy_n(amplitude, count, result.data() + k * dimension + first);
      std::copy_n(amplitude + B, count, result.data() + size + k * dimension + first);
    }
  }
  return result;
}

// (U+ P U)_ij = sum_k conj(U_(k xor flips),i) phase(k) U_k,j.
Tensor Fused::transformed_observables(Index circuit) const {
  const Observables& own = observables_[static_cast<std::size_t>(circuit)];
  const Tensor u = unitary(circuit);
  const Index dimension = program_.dimension(), size = dimension * dimension;
  Tensor result({own.count(), 2, dimension, dimension});
  const auto entry = [&](Index k, Index i) {
    return std::complex<double>(u[k * dimension + i], u[size + k * dimension + i]);
  };
  for (Index m = 0; m < own.count(); ++m) {
    const PauliString& string = own.strings()[static_cast<std::size_t>(m)];
    for (Index i = 0; i < dimension; ++i) {
      for (Index j = 0; j < dimension; ++j) {
        std::complex<double> sum = 0;
        for (Index k = 0; k < dimension; ++k) {
          sum += std::conj(entry(k ^ string.flips(), i)) * string.phase(k) * entry(k, j);
        }
        Real* to = result.data() + 2 * m * size + i * dimension + j;
        to[0] = static_cast<Real>(sum.real());
        to[size] = static_cast<Real>(sum.imag());
      }
    }
  }
  return result;
}

}  // namespace qisa
