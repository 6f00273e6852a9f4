#include "quantum/fast/fused.hpp"

#include <algorithm>
#include <span>

#include "tensor/fast/lane_transpose_four.hpp"

namespace qisa {
namespace {

/// Amplitudes of the circuits that are multiplied out.
constexpr Index multiplied_width = lane_count;

/// psi = U x / |x| for sixteen rows x of sixteen numbers; `u` is [16, 2, 16]. Four sums at a time do not wait for each
/// other, and the norm, which is needed last, waits for none of them. Loops are written out, so that x is in registers.
void multiply(const Real* u, const Real* rows, Real* state) {
  constexpr Index at_once = 4;
  Lanes x[multiplied_width], squares[at_once] = {};
#pragma GCC unroll 4
  for (Index k = 0; k < multiplied_width; k += at_once) {
    transpose_four(rows + k, multiplied_width, [&](Index i, const Lanes& column) {
      x[k + i] = column;
      squares[i] += column * column;
    });
  }
  const Lanes scale = inverse_root((squares[0] + squares[1]) + (squares[2] + squares[3]));
  for (Index row = 0; row < 2 * multiplied_width; row += at_once) {
    Lanes sums[at_once] = {};
#pragma GCC unroll 16
    for (Index k = 0; k < multiplied_width; ++k) {
#pragma GCC unroll 4
      for (Index i = 0; i < at_once; ++i) sums[i] += u[(row + i) * multiplied_width + k] * x[k];
    }
#pragma GCC unroll 4
    for (Index i = 0; i < at_once; ++i) lanes(state + (row + i) * lane_count) = scale * sums[i];
  }
}

}  // namespace

// Column j of U is what becomes of basis state j: a block of all of them is the unit matrix.
Fused::Fused(std::shared_ptr<const BankProgram> bank, const Tensor& angles)
    : bank_(std::move(bank)), angles_(angles.clone()), circuits_(bank_->bind(angles)) {
  if (bank_->program.dimension() != multiplied_width || bank_->encoding != Encoding::amplitude) return;
  Tensor unit = Tensor::zeros({multiplied_width, lane_count});
  for (Index j = 0; j < multiplied_width; ++j) unit[j * lane_count + j] = 1;
  for (const BoundProgram& circuit : circuits_) {
    Tensor& u = unitaries_.emplace_back(Shape{multiplied_width, 2, lane_count});
    bank_->program.run(circuit, unit.data(), Tensor::full({lane_count}, 1).data(), u.data());
  }
}

bool Fused::has(const Tensor& angles) const {
  return angles.shape() == angles_.shape() &&
         std::ranges::equal(std::as_bytes(angles.values()), std::as_bytes(angles_.values()));
}

Tensor Fused::measure(const Tensor& rows) const {
  if (unitaries_.empty()) return measure_circuits(*bank_, circuits_, rows);
  const Index columns = bank_->columns(rows.shape()), tokens = rows.shape()[0];
  Tensor square = Tensor::zeros({lane_count, multiplied_width});
  return measure_states(*bank_, tokens, [&](std::size_t h, Index first, Real* state) {
    const Real* block = rows.data() + first * columns;
    const Index count = std::min(lane_count, tokens - first);
    if (count < lane_count || columns < multiplied_width) {
      for (Index t = 0; t < count; ++t) {
        std::copy_n(block + t * columns, columns, square.data() + t * multiplied_width);
      }
      block = square.data();
    }
    multiply(unitaries_[h].data(), block, state);
  });
}

}  // namespace qisa
