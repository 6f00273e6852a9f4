#include "quantum/fast/adjoint.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "tensor/fast/lane_transpose.hpp"

namespace qisa {
namespace {

/// Checks the inputs and returns M, the number of strings of all circuits.
Index check_inputs(const Program& circuit, std::span<const Observables> observables, const Tensor& rows) {
  require(rows.rank() == 2 && rows.shape()[1] <= circuit.dimension(),
          "inputs {} must be [T, C] with at most {} columns, the amplitudes of {} wires", rows.shape(),
          circuit.dimension(), circuit.wires());
  Index strings = 0;
  for (const Observables& o : observables) strings += o.count();
  return strings;
}

/// scale[t] = 1 / |x_t| for a block x [columns, lane_count], or 0 for a row of zeros.
void inverse_norms(const Real* block, Index columns, Real* scale) {
  Lanes squares = {};
  for (Index k = 0; k < columns; ++k) squares += lanes(block + k * lane_count) * lanes(block + k * lane_count);
  lanes(scale) = inverse_root(squares);
}

/// The gradient of the encoding psi = x / |x|, in place: dL/dx = (dL/d psi - psi (psi . dL/d psi)) / |x|.
void encode_backward(const Real* block, Index columns, const Real* scale, Real* gradient) {
  const auto psi = [&](Index k) -> Lanes { return lanes(scale) * lanes(block + k * lane_count); };
  Lanes dot = {};
  for (Index k = 0; k < columns; ++k) dot += psi(k) * lanes(gradient + k * lane_count);
  for (Index k = 0; k < columns; ++k) {
    lanes(gradient + k * lane_count) = (lanes(gradient + k * lane_count) - psi(k) * dot) * lanes(scale);
  }
}

/// Room for every circuit's observables.
Index scratch_size(std::span<const Observables> observables) {
  Index size = 0;
  for (const Observables& o : observables) size = std::max(size, o.scratch_size());
  return size;
}

}  // namespace

std::vector<BoundProgram> bind_circuits(const Program& program, const Tensor& angles,
                                        std::span<const Observables> observables) {
  const Index heads = std::ssize(observables);
  require(angles.shape() == Shape{heads, program.angles()},
          "angles {} must be [{}, {}]: one row a circuit, one column an angle", angles.shape(), heads,
          program.angles());
  std::vector<BoundProgram> circuits;
  for (Index h = 0; h < heads; ++h) {
    observables[static_cast<std::size_t>(h)].check_layout(program.offsets());
    circuits.push_back(program.bind(angles.data() + h * program.angles()));
  }
  return circuits;
}

Tensor measure_circuits(const Program& program, const Tensor& angles, std::span<const Observables> observables,
                        const Tensor& rows) {
  return measure_circuits(program, bind_circuits(program, angles, observables), observables, rows);
}

Tensor measure_circuits(const Program& program, std::span<const BoundProgram> circuits,
                        std::span<const Observables> observables, const Tensor& rows) {
  require(circuits.size() == observables.size(), "{} circuits cannot be measured by {} list(s) of Pauli strings",
          circuits.size(), observables.size());
  Tensor input = Tensor::zeros({program.dimension() * lane_count});
  std::array<Real, lane_count> scale;
  return measure_states(program, observables, rows, [&](std::size_t h, Index first, Index count, Real* state) {
    const Index columns = rows.shape()[1];
    if (h == 0) {
      rows_to_lanes(rows.data() + first * columns, columns, count, columns, input.data(), lane_count);
      inverse_norms(input.data(), columns, scale.data());
    }
    program.run(circuits[h], input.data(), scale.data(), state);
  });
}

Tensor measure_states(const Program& program, std::span<const Observables> observables, const Tensor& rows,
                      const PrepareStates& prepare) {
  const Index strings = check_inputs(program, observables, rows), tokens = rows.shape()[0];
  Tensor out({tokens, strings}), state({2 * program.dimension() * lane_count}), expectations({strings, lane_count});
  Tensor scratch({scratch_size(observables)});
  for (Index first = 0; first < tokens; first += lane_count) {
    const Index count = std::min(lane_count, tokens - first);
    Real* result = expectations.data();
    for (std::size_t h = 0; h < observables.size(); ++h) {
      prepare(h, first, count, state.data());
      observables[h].measure(state.data(), result, scratch.data());
      result += observables[h].count() * lane_count;
    }
    lanes_to_rows(expectations.data(), count, strings, out.data() + first * strings, strings);
  }
  return out;
}

void measure_circuits_backward(const Program& program, const Tensor& angles, std::span<const Observables> observables,
                               const Tensor& rows, const Tensor& grad_out, Tensor* grad_rows, Tensor* grad_angles) {
  const auto circuits = bind_circuits(program, angles, observables);
  const Index strings = check_inputs(program, observables, rows);
  const Index tokens = rows.shape()[0], columns = rows.shape()[1];
  require(grad_out.shape() == Shape{tokens, strings}, "the gradient of {} strings on {} inputs cannot have shape {}",
          strings, tokens, grad_out.shape());
  if (grad_rows != nullptr) {
    require(grad_rows->shape() == rows.shape(), "the gradient of inputs {} cannot have shape {}", rows.shape(),
            grad_rows->shape());
  }
  if (grad_angles != nullptr) {
    require(grad_angles->shape() == angles.shape(), "the gradient of angles {} cannot have shape {}", angles.shape(),
            grad_angles->shape());
  }

  const Index size = program.dimension() * lane_count;
  Tensor input = Tensor::zeros({size}), state({2 * size}), gradient({2 * size}), grad_encoded({size}),
         weights({strings, lane_count});
  Tensor scratch({scratch_size(observables)}), sums({static_cast<Index>(program.steps()), lane_count});
  std::vector<std::vector<Moment>> moments(observables.size(), std::vector<Moment>(program.steps()));
  std::array<Real, lane_count> scale;
  for (Index first = 0; first < tokens; first += lane_count) {
    const Index count = std::min(lane_count, tokens - first);
    rows_to_lanes(rows.data() + first * columns, columns, count, columns, input.data(), lane_count);
    inverse_norms(input.data(), columns, scale.data());
    rows_to_lanes(grad_out.data() + first * strings, strings, count, strings, weights.data(), lane_count);
    grad_encoded.fill(0);
    const Real* weight = weights.data();
    for (std::size_t h = 0; h < observables.size(); ++h) {
      program.run(circuits[h], input.data(), scale.data(), state.data());
      observables[h].gradient(weight, state.data(), gradient.data(), scratch.data());
      weight += observables[h].count() * lane_count;
      program.run_backward(circuits[h], state.data(), gradient.data(), moments[h], sums.data());
      // The input is real: only the real part of its gradient counts.
      for (Index k = 0; grad_rows != nullptr && k < columns; ++k) {
        lanes(grad_encoded.data() + k * lane_count) += circuits[h].scale * lanes(gradient.data() + k * amplitude_size);
      }
    }
    if (grad_rows != nullptr) {
      encode_backward(input.data(), columns, scale.data(), grad_encoded.data());
      lanes_to_rows(grad_encoded.data(), count, columns, grad_rows->data() + first * columns, columns, true);
    }
  }
  if (grad_angles != nullptr) {
    const Index count = program.angles();
    for (std::size_t h = 0; h < observables.size(); ++h) {
      program.add_angle_gradients(circuits[h], moments[h], grad_angles->data() + static_cast<Index>(h) * count);
    }
  }
}

}  // namespace qisa
