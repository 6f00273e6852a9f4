#include "quantum/fast/fused.hpp"

#include <algorithm>
#include <complex>

#include "quantum/fast/adjoint.hpp"
#include "tensor/fast/lane_transpose_four.hpp"

namespace qisa {
namespace {

/// Amplitudes of the circuits that are multiplied out.
constexpr Index width = lane_count;

/// psi = U x / |x| for sixteen rows x of sixteen numbers; `u` is [16, 2, 16]. Four sums at a time do not wait for each
/// other, and the norm, which is needed last, waits for none of them. Loops are written out, so that x is in registers.
void multiply(const Real* u, const Real* rows, Real* state) {
  constexpr Index at_once = 4;
  Lanes x[width], squares[at_once] = {};
#pragma GCC unroll 4
  for (Index k = 0; k < width; k += at_once) {
    transpose_four(rows + k, width, [&](Index i, const Lanes& column) {
      x[k + i] = column;
      squares[i] += column * column;
    });
  }
  const Lanes scale = inverse_root((squares[0] + squares[1]) + (squares[2] + squares[3]));
  for (Index row = 0; row < 2 * width; row += at_once) {
    Lanes sums[at_once] = {};
#pragma GCC unroll 16
    for (Index k = 0; k < width; ++k) {
#pragma GCC unroll 4
      for (Index i = 0; i < at_once; ++i) sums[i] += u[(row + i) * width + k] * x[k];
    }
#pragma GCC unroll 4
    for (Index i = 0; i < at_once; ++i) lanes(state + (row + i) * lane_count) = scale * sums[i];
  }
}

}  // namespace

Fused::Fused(Program program, const Tensor& angles, std::span<const Observables> observables)
    : program_(std::move(program)),
      circuits_(bind_circuits(program_, angles, observables)),
      observables_(observables.begin(), observables.end()) {
  if (program_.dimension() != width) return;
  for (Index circuit = 0; circuit < std::ssize(circuits_); ++circuit) {
    const Tensor u = unitary(circuit);
    Tensor rows({width, 2, width});
    for (Index k = 0; k < width; ++k) {
      const Index place = program_.offsets()[static_cast<std::size_t>(k)] / amplitude_size;
      for (const Index plane : {0, 1}) {
        std::copy_n(u.data() + (plane * width + k) * width, width, rows.data() + (place * 2 + plane) * width);
      }
    }
    unitaries_.push_back(rows);
  }
}

Tensor Fused::measure(const Tensor& rows) const {
  return unitaries_.empty() ? measure_circuits(program_, circuits_, observables_, rows) : measure_by_unitaries(rows);
}

Tensor Fused::measure_by_unitaries(const Tensor& rows) const {
  Tensor square({width, width});
  return measure_states(program_, observables_, rows, [&](std::size_t h, Index first, Index count, Real* state) {
    const Index columns = rows.shape()[1];
    const Real* block = rows.data() + first * columns;
    if (count < lane_count || columns < width) {
      square.fill(0);
      for (Index t = 0; t < count; ++t) std::copy_n(block + t * columns, columns, square.data() + t * width);
      block = square.data();
    }
    multiply(unitaries_[h].data(), block, state);
  });
}

// Column j of U is what becomes of basis state j; lane_count of them are a block.
Tensor Fused::unitary(Index circuit) const {
  const Index dimension = program_.dimension(), size = dimension * dimension;
  Tensor result({2, dimension, dimension}), basis({dimension, lane_count}), state({dimension, 2, lane_count});
  const Tensor ones = Tensor::full({lane_count}, 1);
  for (Index first = 0; first < dimension; first += lane_count) {
    const Index count = std::min(lane_count, dimension - first);
    basis.fill(0);
    for (Index j = 0; j < count; ++j) basis[(first + j) * lane_count + j] = 1;
    program_.run(circuits_[static_cast<std::size_t>(circuit)], basis.data(), ones.data(), state.data());
    for (Index k = 0; k < dimension; ++k) {
      const Real* amplitude = state.data() + program_.offsets()[static_cast<std::size_t>(k)];
      std::copy_n(amplitude, count, result.data() + k * dimension + first);
      std::copy_n(amplitude + lane_count, count, result.data() + size + k * dimension + first);
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
