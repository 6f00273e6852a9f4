#include "quantum/fast/program.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "quantum/pairs.hpp"

namespace qisa {
namespace {

bool is_permutation(Gate gate) { return gate == Gate::X || gate == Gate::CNOT || gate == Gate::SWAP; }

const BoundStep* steps_of(const Sweep& sweep, const BoundProgram& bound) {
  return bound.steps.data() + sweep.first_step;
}

}  // namespace

Program::Program(const Circuit& circuit)
    : wires_(circuit.wires()), angles_(circuit.angles()), dimension_(circuit.dimension()) {
  for (Index k = 0; k < dimension_; ++k) offsets_.push_back(k * amplitude_size);

  std::vector<Wire> wires(static_cast<std::size_t>(wires_));
  for (const Operation& operation : circuit.operations()) {
    const bool permutes = is_permutation(operation.gate), controlled = operation.control >= 0;
    Wire& wire = wires[operation.target];
    if (permutes) {
      for_each_pair(wires_, operation, [&](Index i, Index j) { std::swap(offsets_[i], offsets_[j]); });
    } else {
      if (controlled || !wire.sweep) wire.sweep = sweep_for(operation, wires);
      sweeps_[*wire.sweep].steps.push_back(operation);
    }
    if (permutes || controlled) wire = {{}, sweeps_.size()};
    if (controlled) wires[operation.control] = wire;
  }
  for (Sweep& sweep : sweeps_) {
    std::stable_partition(sweep.steps.begin(), sweep.steps.end(),
                          [&](const Operation& step) { return step.target == sweep.first_wire; });
    sweep.first_step = steps_;
    steps_ += sweep.steps.size();
  }
}

/// Finds the sweep for a gate that cannot join its wire's: on another wire, which nothing has touched since, or new.
std::size_t Program::sweep_for(const Operation& operation, std::span<const Wire> wires) {
  if (operation.control < 0) {
    for (std::size_t s = wires[operation.target].first_sweep; s < sweeps_.size(); ++s) {
      Sweep& sweep = sweeps_[s];
      if (sweep.wires == 2 || wires[sweep.first_wire].sweep != s) continue;
      // Permutations since have kept to other wires: each group is still one, wherever its amplitudes lie.
      const Index first = wire_bit(wires_, sweep.first_wire);
      sweep.wires = 2;
      sweep.groups.clear();
      for_each_pair(wires_, operation, [&](Index i, Index j) {
        if ((i & first) == 0)
          sweep.groups.push_back({offsets_[i], offsets_[i | first], offsets_[j], offsets_[j | first]});
      });
      return s;
    }
  }
  Sweep sweep{operation.target, 1, {}, 0, {}};
  for_each_pair(wires_, operation, [&](Index i, Index j) { sweep.groups.push_back({offsets_[i], offsets_[j]}); });
  sweeps_.push_back(std::move(sweep));
  return sweeps_.size() - 1;
}

BoundProgram Program::bind(const Real* angles) const {
  // The product of the cosines left out must not underflow, nor its square: what remains is done with matrices.
  const double smallest_scale = std::ldexp(1.0, -40);
  BoundProgram bound{std::vector<BoundStep>(steps_), {}, 0};
  double scale = 1;
  for (auto sweep = sweeps_.rbegin(); sweep != sweeps_.rend(); ++sweep) {
    for (std::size_t s = sweep->steps.size(); s-- > 0;) {
      const Operation& step = sweep->steps[s];
      const bool rotates = step.angle >= 0;
      const double angle = rotates ? static_cast<double>(angles[step.angle]) : 0;
      const double cosine = std::cos(angle / 2), sine = std::sin(angle / 2);
      const bool is_turn = rotates && step.control < 0 && std::abs(cosine * scale) >= smallest_scale;
      BoundStep& to = bound.steps[sweep->first_step + s];
      to = {step.target != sweep->first_wire, is_turn, rotates ? axis_of(step.gate) : Axis::Z, 0, {}, scale * scale};
      to.tangent = static_cast<Real>(is_turn ? sine / cosine : 0);
      if (is_turn)
        scale *= cosine;
      else
        std::ranges::copy(matrix(step.gate, angle), to.matrix.begin());
    }
  }
  bound.scale = static_cast<Real>(scale);
  for (const Sweep& s : sweeps_) bound.kernels.push_back(&kernel_for(s, steps_of(s, bound)));
  return bound;
}

void Program::run(const BoundProgram& bound, const Real* input, const Real* scale, Real* state) const {
  const RealStates from = {input, scale, bound.scale};
  const bool starts = !sweeps_.empty() && sweeps_.front().covers(dimension_);
  for (Index k = 0; !starts && k < dimension_; ++k) {
    lanes(state + k * amplitude_size) = bound.scale * (lanes(scale) * lanes(input + k * lane_count));
    lanes(state + k * amplitude_size + lane_count) = Lanes{};
  }
  for (std::size_t s = 0; s < sweeps_.size(); ++s) {
    const SweepKernel& kernel = *bound.kernels[s];
    (starts && s == 0 ? kernel.run_real : kernel.run)(sweeps_[s], steps_of(sweeps_[s], bound), from, state);
  }
}

void Program::run_backward(const BoundProgram& bound, Real* state, Real* gradient, std::span<Moment> moments,
                           Real* scratch) const {
  std::fill_n(scratch, steps_ * lane_count, Real(0));
  for (std::size_t s = sweeps_.size(); s-- > 0;) {
    const Sweep& sweep = sweeps_[s];
    bound.kernels[s]->undo(sweep, steps_of(sweep, bound), state, s > 0, gradient,
                           scratch + sweep.first_step * lane_count);
  }
  for (Moment& moment : moments) {
#pragma omp simd
    for (std::size_t t = 0; t < lane_count; ++t) moment[t] += static_cast<double>(scratch[t]);
    scratch += lane_count;
  }
}

// A rotation is R = exp(-i angle P / 2), so dR/d angle = -i/2 P R. With psi the state after it and g the gradient
// with respect to that state,
//   dL/d angle = Re <g| -i/2 P |psi> = 1/2 Im <g|P|psi>.
void Program::add_angle_gradients(const BoundProgram& bound, std::span<const Moment> moments, Real* gradient) const {
  for (const Sweep& sweep : sweeps_) {
    for (std::size_t s = 0; s < sweep.steps.size(); ++s) {
      if (sweep.steps[s].angle < 0) continue;
      const Moment& moment = moments[sweep.first_step + s];
      const double sum = std::accumulate(moment.begin(), moment.end(), 0.0);
      gradient[sweep.steps[s].angle] += static_cast<Real>(bound.steps[sweep.first_step + s].moment_scale * sum / 2);
    }
  }
}

}  // namespace qisa
