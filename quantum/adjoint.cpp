#include "quantum/adjoint.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "quantum/program.hpp"

namespace qisa {
namespace {

/// Checks the arguments and returns M, the number of strings of all circuits.
Index check_bank(const Circuit& circuit, const Tensor& angles, std::span<const Observables> observables,
                 const Tensor& rows) {
  const Index heads = static_cast<Index>(observables.size());
  check(angles.shape() == Shape{heads, circuit.angles()},
        "angles {} must be [{}, {}]: one row a circuit, one column an angle", angles.shape(), heads, circuit.angles());
  check(rows.rank() == 2 && rows.shape()[1] <= circuit.dimension(),
        "inputs {} must be [T, C] with at most {} columns, the amplitudes of {} wires", rows.shape(),
        circuit.dimension(), circuit.wires());
  Index strings = 0;
  for (const Observables& o : observables) {
    check(o.wires() == circuit.wires(), "Pauli strings of {} characters do not fit a circuit of {} wires", o.wires(),
          circuit.wires());
    strings += o.count();
  }
  return strings;
}

/// Amplitude encoding of a block in place: x [columns, B] becomes x / |x| [dimension, B], zero-padded.
/// scale[t] = 1 / |x_t|, or 0 for a row of zeros.
void encode(Real* block, Index columns, Index dimension, Real* scale) {
  Lanes squares = {};
  for (Index k = 0; k < columns; ++k) squares += lanes(block + k * B) * lanes(block + k * B);
  lanes(scale) = squares;
#pragma omp simd
  for (Index t = 0; t < B; ++t) scale[t] = scale[t] == 0 ? Real(0) : 1 / std::sqrt(scale[t]);
  for (Index k = 0; k < columns; ++k) lanes(block + k * B) *= lanes(scale);
  std::fill(block + columns * B, block + dimension * B, Real(0));
}

/// The gradient of the encoding psi = x / |x|, in place: dL/dx = (dL/d psi - psi (psi . dL/d psi)) / |x|.
void encode_backward(const Real* encoded, Index columns, const Real* scale, Real* gradient) {
  Lanes dot = {};
  for (Index k = 0; k < columns; ++k) dot += lanes(encoded + k * B) * lanes(gradient + k * B);
  for (Index k = 0; k < columns; ++k) {
    lanes(gradient + k * B) = (lanes(gradient + k * B) - lanes(encoded + k * B) * dot) * lanes(scale);
  }
}

/// The matrices of every circuit of the bank.
std::vector<std::vector<RealMatrix2>> bank_matrices(const Program& program, const Tensor& angles) {
  std::vector<std::vector<RealMatrix2>> result;
  const Index count = angles.shape()[1];
  for (Index h = 0; h < angles.shape()[0]; ++h) result.push_back(program.matrices(angles.data() + h * count));
  return result;
}

/// Room for transposing inputs and results of a block and for every circuit's observables.
Index scratch_size(const Program& program, std::span<const Observables> observables, Index strings) {
  Index size = 2 * B * std::max(program.dimension(), strings);
  for (const Observables& o : observables) size = std::max(size, o.scratch_size());
  return size;
}

}  // namespace

Tensor measure_circuits(const Circuit& circuit, const Tensor& angles, std::span<const Observables> observables,
                        const Tensor& rows) {
  const Index strings = check_bank(circuit, angles, observables, rows);
  const Index tokens = rows.shape()[0], columns = rows.shape()[1];
  const Program program(circuit);
  const auto matrices = bank_matrices(program, angles);

  Tensor out({tokens, strings});
  Tensor encoded({program.dimension(), B}), state({program.dimension(), 2, B}), expectations({strings, B});
  Tensor scratch({scratch_size(program, observables, strings)});
  std::array<Real, B> scale;
  for (Index first = 0; first < tokens; first += B) {
    const Index count = std::min(B, tokens - first);
    rows_to_block(rows.data() + first * columns, count, columns, encoded.data(), scratch.data());
    encode(encoded.data(), columns, program.dimension(), scale.data());
    Real* result = expectations.data();
    for (std::size_t h = 0; h < observables.size(); ++h) {
      program.run(matrices[h], encoded.data(), state.data());
      observables[h].measure(state.data(), program.offsets(), result, scratch.data());
      result += observables[h].count() * B;
    }
    block_to_rows(expectations.data(), count, strings, out.data() + first * strings, scratch.data());
  }
  return out;
}

void measure_circuits_backward(const Circuit& circuit, const Tensor& angles, std::span<const Observables> observables,
                               const Tensor& rows, const Tensor& grad_out, Tensor* grad_rows, Tensor* grad_angles) {
  const Index strings = check_bank(circuit, angles, observables, rows);
  const Index tokens = rows.shape()[0], columns = rows.shape()[1];
  check(grad_out.shape() == Shape{tokens, strings}, "the gradient of {} strings on {} inputs cannot have shape {}",
        strings, tokens, grad_out.shape());
  if (grad_rows != nullptr) {
    check(grad_rows->shape() == rows.shape(), "the gradient of inputs {} cannot have shape {}", rows.shape(),
          grad_rows->shape());
  }
  if (grad_angles != nullptr) {
    check(grad_angles->shape() == angles.shape(), "the gradient of angles {} cannot have shape {}", angles.shape(),
          grad_angles->shape());
  }
  const Program program(circuit);
  const auto matrices = bank_matrices(program, angles);

  const Index size = program.dimension() * B;
  Tensor encoded({size}), state({2 * size}), gradient({2 * size}), grad_encoded({size}), weights({strings, B});
  Tensor scratch({scratch_size(program, observables, strings)}), row_block({B, columns});
  std::vector<std::vector<Moments>> moments(observables.size(), std::vector<Moments>(program.steps().size()));
  std::array<Real, B> scale;
  for (Index first = 0; first < tokens; first += B) {
    const Index count = std::min(B, tokens - first);
    rows_to_block(rows.data() + first * columns, count, columns, encoded.data(), scratch.data());
    encode(encoded.data(), columns, program.dimension(), scale.data());
    rows_to_block(grad_out.data() + first * strings, count, strings, weights.data(), scratch.data());
    grad_encoded.fill(0);
    const Real* weight = weights.data();
    for (std::size_t h = 0; h < observables.size(); ++h) {
      program.run(matrices[h], encoded.data(), state.data());
      observables[h].gradient(weight, state.data(), program.offsets(), gradient.data(), scratch.data());
      weight += observables[h].count() * B;
      program.run_backward(matrices[h], state.data(), gradient.data(), moments[h], grad_rows != nullptr);
      // The input is real: only the real part of its gradient counts.
      for (Index k = 0; grad_rows != nullptr && k < columns; ++k) {
        lanes(grad_encoded.data() + k * B) += lanes(gradient.data() + k * amplitude_size);
      }
    }
    if (grad_rows != nullptr) {
      encode_backward(encoded.data(), columns, scale.data(), grad_encoded.data());
      block_to_rows(grad_encoded.data(), count, columns, row_block.data(), scratch.data());
      Real* to = grad_rows->data() + first * columns;
      for (Index i = 0; i < count * columns; ++i) to[i] += row_block[i];
    }
  }
  if (grad_angles != nullptr) {
    const Index count = circuit.angles();
    for (std::size_t h = 0; h < observables.size(); ++h) {
      const Index row = static_cast<Index>(h) * count;
      program.add_angle_gradients(angles.data() + row, moments[h], grad_angles->data() + row);
    }
  }
}

}  // namespace qisa
