#include "quantum/fused.hpp"

#include <algorithm>
#include <complex>

#include "quantum/program.hpp"
#include "tensor/blas.hpp"
#include "tensor/error.hpp"
#include "tensor/lane_transpose.hpp"
#include "tensor/lanes.hpp"

namespace qisa {
namespace {

/// Tokens of one product. More of them would drive psi out of the second cache when there are 7 wires.
constexpr Index together = 8 * B;

/// 1 / |x|^2 for each column of x [columns, together], or 0 for a column of zeros.
void inverse_squares(const Real* x, Index columns, Real* result) {
  Lanes squares[together / B] = {};
  for (Index k = 0; k < columns; ++k) {
    for (Index block = 0; block < together; block += B) {
      const Lanes& numbers = lanes(x + k * together + block);
      squares[block / B] += numbers * numbers;
    }
  }
  for (Index block = 0; block < together; block += B) {
    const Lanes& square = squares[block / B];
    lanes(result + block) = square == 0 ? Lanes{} : 1 / square;
  }
}

/// The states of one block of those that lie together: column `block` of psi [rows, together].
void copy_block(const Real* psi, Index rows, Index block, Real* state) {
  for (Index row = 0; row < rows; ++row) lanes(state + row * B) = lanes(psi + row * together + block);
}

void scale_rows(Real* values, Index rows, const Lanes& scale) {
  for (Index row = 0; row < rows; ++row) lanes(values + row * B) *= scale;
}

}  // namespace

Fused::Fused(const Circuit& circuit, const Tensor& angles, std::vector<Observables> observables)
    : observables_(std::move(observables)), dimension_(circuit.dimension()) {
  const Index heads = static_cast<Index>(observables_.size());
  check(angles.shape() == Shape{heads, circuit.angles()},
        "angles {} must be [{}, {}]: one row a circuit, one column an angle", angles.shape(), heads, circuit.angles());
  const Program program(circuit);
  offsets_.assign(program.offsets().begin(), program.offsets().end());
  unitaries_ = Tensor({heads, dimension_, 2, dimension_});
  Tensor basis({dimension_, B}), state({dimension_, 2, B});
  for (Index h = 0; h < heads; ++h) {
    const Observables& own = observables_[static_cast<std::size_t>(h)];
    own.check_layout(offsets_);
    strings_ += own.count();
    scratch_size_ = std::max(scratch_size_, own.scratch_size());
    const BoundProgram bound = program.bind(angles.data() + h * circuit.angles());
    Real* unitary = unitaries_.data() + h * 2 * dimension_ * dimension_;
    for (Index first = 0; first < dimension_; first += B) {  // column j of U is what becomes of state j
      const Index count = std::min(B, dimension_ - first);
      basis.fill(0);
      for (Index j = 0; j < count; ++j) basis[(first + j) * B + j] = 1;
      program.run(bound, basis.data(), state.data());
      for (Index row = 0; row < 2 * dimension_; ++row) {
        std::copy_n(state.data() + row * B, count, unitary + row * dimension_ + first);
      }
    }
  }
}

Tensor Fused::unitary(Index circuit) const {
  Tensor result({2, dimension_, dimension_});
  const Index size = dimension_ * dimension_;
  for (Index k = 0; k < dimension_; ++k) {
    const Index row = offsets_[static_cast<std::size_t>(k)] / B;
    for (Index plane = 0; plane < 2; ++plane) {
      std::copy_n(unitaries_.data() + 2 * circuit * size + (row + plane) * dimension_, dimension_,
                  result.data() + plane * size + k * dimension_);
    }
  }
  return result;
}

// (U+ P U)_ij = sum_k conj(U_(k xor flips),i) phase(k) U_k,j.
Tensor Fused::transformed_observables(Index circuit) const {
  const Observables& own = observables_[static_cast<std::size_t>(circuit)];
  const Tensor u = unitary(circuit);
  const Index size = dimension_ * dimension_;
  Tensor result({own.count(), 2, dimension_, dimension_});
  const auto entry = [&](Index k, Index i) {
    return std::complex<double>(u[k * dimension_ + i], u[size + k * dimension_ + i]);
  };
  for (Index m = 0; m < own.count(); ++m) {
    const PauliString& string = own.strings()[static_cast<std::size_t>(m)];
    for (Index i = 0; i < dimension_; ++i) {
      for (Index j = 0; j < dimension_; ++j) {
        std::complex<double> sum = 0;
        for (Index k = 0; k < dimension_; ++k) {
          sum += std::conj(entry(k ^ string.flips(), i)) * string.phase(k) * entry(k, j);
        }
        Real* to = result.data() + 2 * m * size + i * dimension_ + j;
        to[0] = static_cast<Real>(sum.real());
        to[size] = static_cast<Real>(sum.imag());
      }
    }
  }
  return result;
}

// psi = U x is one product of matrices for several blocks of rows; the strings are measured block by block.
Tensor Fused::measure(const Tensor& rows) const {
  check(rows.rank() == 2 && rows.shape()[1] <= dimension_,
        "inputs {} must be [T, C] with at most {} columns, the amplitudes of the circuit", rows.shape(), dimension_);
  const Index tokens = rows.shape()[0], columns = rows.shape()[1], size = 2 * dimension_;
  Tensor out({tokens, strings_}), inputs({columns, together}), psi({size, together}), state({size, B});
  Tensor values({strings_, B}), scales({together}), scratch({scratch_size_});
  for (Index first = 0; first < tokens; first += together) {
    const Index count = std::min(together, tokens - first);
    for (Index block = 0; block < count; block += B) {
      rows_to_lanes(rows.data() + (first + block) * columns, columns, std::min(B, count - block), columns,
                    inputs.data() + block, together);
    }
    inverse_squares(inputs.data(), columns, scales.data());
    Index string = 0;
    for (std::size_t h = 0; h < observables_.size(); ++h) {
      const Index strings = observables_[h].count();
      gemm(false, false, size, padded_to_lanes(count), columns, 1,
           unitaries_.data() + static_cast<Index>(h) * size * dimension_, dimension_, inputs.data(), together, 0,
           psi.data(), together);
      for (Index block = 0; block < count; block += B) {
        copy_block(psi.data(), size, block, state.data());
        observables_[h].measure(state.data(), values.data(), scratch.data());
        scale_rows(values.data(), strings, lanes(scales.data() + block));
        lanes_to_rows(values.data(), std::min(B, count - block), strings,
                      out.data() + (first + block) * strings_ + string, strings_);
      }
      string += strings;
    }
  }
  return out;
}

}  // namespace qisa
