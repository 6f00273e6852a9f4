#include "quantum/program.hpp"

#include <algorithm>
#include <numeric>

#include "quantum/pairs.hpp"

namespace qisa {
namespace {

bool is_permutation(Gate gate) { return gate == Gate::X || gate == Gate::CNOT || gate == Gate::SWAP; }

bool is_real(Gate gate) {
  switch (gate) {
    case Gate::Y:
    case Gate::S:
    case Gate::T:
    case Gate::RX:
    case Gate::RZ:
    case Gate::CRX:
    case Gate::CRZ:
      return false;
    default:
      return true;
  }
}

// ---- Kernels: psi' = M psi on pairs of rows. x0, x1 are the old amplitudes of a pair, y0, y1 the new.

/// y0 = m00 x0 + m01 x1, y1 = m10 x0 + m11 x1, with m = a + ib, x = p + iq. A real matrix needs half the
/// products. `to` may be `from`.
template <bool real>
void apply(const RealMatrix2& matrix, std::span<const std::array<Index, 2>> pairs, const Real* from, Real* to) {
  const auto [a0, a1, a2, a3] = matrix.re;
  const auto [b0, b1, b2, b3] = matrix.im;
  for (const auto [first, second] : pairs) {
    const Lanes p0 = lanes(from + first), q0 = lanes(from + first + B);
    const Lanes p1 = lanes(from + second), q1 = lanes(from + second + B);
    Lanes &re0 = lanes(to + first), &im0 = lanes(to + first + B);
    Lanes &re1 = lanes(to + second), &im1 = lanes(to + second + B);
    if constexpr (real) {
      re0 = a0 * p0 + a1 * p1;
      im0 = a0 * q0 + a1 * q1;
      re1 = a2 * p0 + a3 * p1;
      im1 = a2 * q0 + a3 * q1;
    } else {
      re0 = a0 * p0 - b0 * q0 + a1 * p1 - b1 * q1;
      im0 = a0 * q0 + b0 * p0 + a1 * q1 + b1 * p1;
      re1 = a2 * p0 - b2 * q0 + a3 * p1 - b3 * q1;
      im1 = a2 * q0 + b2 * p0 + a3 * q1 + b3 * p1;
    }
  }
}

/// The same on real amplitudes `input` [2^n, B], for the first step of a program.
void apply_to_real(const RealMatrix2& matrix, std::span<const std::array<Index, 2>> pairs, const Real* input,
                   Real* state) {
  const auto [a0, a1, a2, a3] = matrix.re;
  const auto [b0, b1, b2, b3] = matrix.im;
  for (const auto [first, second] : pairs) {
    const Lanes x0 = lanes(input + first / 2), x1 = lanes(input + second / 2);
    lanes(state + first) = a0 * x0 + a1 * x1;
    lanes(state + first + B) = b0 * x0 + b1 * x1;
    lanes(state + second) = a2 * x0 + a3 * x1;
    lanes(state + second + B) = b2 * x0 + b3 * x1;
  }
}

/// Adds Im <g|P|x> over all pairs, for P = Y alone if `only_y`, otherwise for X, Y and Z:
///   X: Im(g0* x1 + g1* x0),  Y: Re(g1* x0 - g0* x1),  Z: Im(g0* x0 - g1* x1),  g = u + iv, x = p + iq.
template <bool only_y>
void add_moments(std::span<const std::array<Index, 2>> pairs, const Real* state, const Real* gradient,
                 Moments& moments) {
  Lanes x = {}, y = {}, z = {};
  for (const auto [first, second] : pairs) {
    const Lanes p0 = lanes(state + first), q0 = lanes(state + first + B);
    const Lanes p1 = lanes(state + second), q1 = lanes(state + second + B);
    const Lanes u0 = lanes(gradient + first), v0 = lanes(gradient + first + B);
    const Lanes u1 = lanes(gradient + second), v1 = lanes(gradient + second + B);
    y += u1 * p0 + v1 * q0 - u0 * p1 - v0 * q1;
    if constexpr (!only_y) {
      x += u0 * q1 - v0 * p1 + u1 * q0 - v1 * p0;
      z += u0 * q0 - v0 * p0 - u1 * q1 + v1 * p1;
    }
  }
  const auto add = [](const Lanes& sums, std::array<double, B>& totals) {
#pragma omp simd
    for (std::size_t t = 0; t < B; ++t) totals[t] += static_cast<double>(sums[t]);
  };
  add(y, moments[1]);
  if constexpr (only_y) return;
  add(x, moments[0]);
  add(z, moments[2]);
}

RealMatrix2 to_real(const Matrix2& m) {
  RealMatrix2 result;
  for (std::size_t i = 0; i < 4; ++i) {
    result.re[i] = static_cast<Real>(m[i].real());
    result.im[i] = static_cast<Real>(m[i].imag());
  }
  return result;
}

RealMatrix2 adjoint(const RealMatrix2& m) {
  return {{m.re[0], m.re[2], m.re[1], m.re[3]}, {-m.im[0], -m.im[2], -m.im[1], -m.im[3]}};
}

double angle_of(const Operation& operation, const Real* angles) {
  return operation.angle < 0 ? 0 : static_cast<double>(angles[operation.angle]);
}

}  // namespace

Program::Program(const Circuit& circuit)
    : wires_(circuit.wires()), angles_(circuit.angles()), dimension_(circuit.dimension()) {
  const int wires = circuit.wires();
  offsets_.resize(static_cast<std::size_t>(dimension_));
  for (Index k = 0; k < dimension_; ++k) offsets_[static_cast<std::size_t>(k)] = k * amplitude_size;
  const auto offset = [&](Index k) -> Index& { return offsets_[static_cast<std::size_t>(k)]; };

  constexpr std::size_t none = ~std::size_t{0};
  std::vector<std::size_t> open(static_cast<std::size_t>(wires), none);  // the step that a gate on a wire may join
  bool first_layer = true;
  for (const Operation& operation : circuit.operations()) {
    std::size_t& target = open[static_cast<std::size_t>(operation.target)];
    if (is_permutation(operation.gate)) {
      for_each_pair(wires, operation, [&](Index i, Index j) { std::swap(offset(i), offset(j)); });
    } else if (operation.control < 0 && target != none) {
      steps_[target].operations.push_back(operation);
      steps_[target].real &= is_real(operation.gate);
      continue;
    } else {
      Step step{{operation}, {}, is_real(operation.gate)};
      for_each_pair(wires, operation, [&](Index i, Index j) { step.pairs.push_back({offset(i), offset(j)}); });
      steps_.push_back(std::move(step));
    }
    const bool stays_open = operation.control < 0 && !is_permutation(operation.gate);
    target = stays_open ? steps_.size() - 1 : none;
    if (operation.control >= 0) open[static_cast<std::size_t>(operation.control)] = none;
    first_layer &= stays_open;
    first_layer_ += first_layer;
  }
}

std::vector<RealMatrix2> Program::matrices(const Real* angles) const {
  std::vector<RealMatrix2> result;
  result.reserve(steps_.size());
  for (const Step& step : steps_) {
    Matrix2 product = {1, 0, 0, 1};
    for (const Operation& operation : step.operations) {
      product = matrix(operation.gate, angle_of(operation, angles)) * product;
    }
    result.push_back(to_real(product));
  }
  return result;
}

void Program::run(std::span<const RealMatrix2> matrices, const Real* input, Real* state) const {
  std::size_t s = 0;
  if (first_layer_ > 0) {
    apply_to_real(matrices[s], steps_[s].pairs, input, state);
    ++s;
  } else {
    for (Index k = 0; k < dimension_; ++k) {
      lanes(state + k * amplitude_size) = lanes(input + k * B);
      lanes(state + k * amplitude_size + B) = Lanes{};
    }
  }
  for (; s < steps_.size(); ++s) {
    (steps_[s].real ? apply<true> : apply<false>)(matrices[s], steps_[s].pairs, state, state);
  }
}

void Program::run_backward(std::span<const RealMatrix2> matrices, const Real* states, Real* gradient,
                           std::span<Moments> moments, bool to_input, Real* scratch) const {
  const Real* psi = states;
  const auto add_step_moments = [&](std::size_t s) {
    (steps_[s].real ? add_moments<true> : add_moments<false>)(steps_[s].pairs, psi, gradient, moments[s]);
  };
  const auto undo = [&](std::size_t s, const Real* from, Real* to) {
    (steps_[s].real ? apply<true> : apply<false>)(adjoint(matrices[s]), steps_[s].pairs, from, to);
  };
  // A step on a controlled pair of rows leaves the other rows alone: they must be there already.
  if (first_layer_ < steps_.size() && !steps_.back().covers(dimension_)) {
    std::copy_n(states, dimension_ * amplitude_size, scratch);
    psi = scratch;
  }
  for (std::size_t s = steps_.size(); s-- > first_layer_;) {
    add_step_moments(s);
    undo(s, psi, scratch);
    undo(s, gradient, gradient);
    psi = scratch;
  }
  // The steps of the first layer commute: their moments do not need each other undone.
  for (std::size_t s = first_layer_; s-- > 0;) add_step_moments(s);
  for (std::size_t s = first_layer_; to_input && s-- > 0;) undo(s, gradient, gradient);
}

// With M = L R K, R = exp(-i angle P / 2) the gate of interest and L the later gates of the step,
//   dM/d angle = -i/2 N M,   N = L P L+ = x X + y Y + z Z,
// and with psi the state after the step and g the gradient with respect to it
//   dL/d angle = Re <g| -i/2 N |psi> = 1/2 Im <g| N |psi>.
void Program::add_angle_gradients(const Real* angles, std::span<const Moments> moments, Real* gradient) const {
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    std::array<double, 3> sums;
    for (std::size_t p = 0; p < 3; ++p) sums[p] = std::accumulate(moments[s][p].begin(), moments[s][p].end(), 0.0);
    Matrix2 later = {1, 0, 0, 1};
    for (std::size_t i = steps_[s].operations.size(); i-- > 0;) {
      const Operation& operation = steps_[s].operations[i];
      const double angle = angle_of(operation, angles);
      const Matrix2 gate = matrix(operation.gate, angle);
      if (operation.angle >= 0) {
        // d gate / d angle gate+ = -i/2 P, here carried through the later gates to -i/2 N.
        const Matrix2 n = later * matrix_derivative(operation.gate, angle) * adjoint(gate) * adjoint(later);
        const double x = -2 * n[2].imag(), y = 2 * n[2].real(), z = -2 * n[0].imag();
        gradient[operation.angle] += static_cast<Real>((x * sums[0] + y * sums[1] + z * sums[2]) / 2);
      }
      later = later * gate;
    }
  }
}

}  // namespace qisa
