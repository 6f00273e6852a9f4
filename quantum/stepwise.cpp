#include "quantum/stepwise.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "autograd/operations.hpp"
#include "quantum/pairs.hpp"

namespace qisa {
namespace {

int wires_of(const Tensor& states) {
  const std::uint64_t amplitudes = states.rank() == 3 ? states.shape()[1] : 0;
  require(std::has_single_bit(amplitudes) && states.shape()[0] == 2,
          "a batch of states has shape [2, 2^wires, tokens], not {}", states.shape());
  return std::countr_zero(amplitudes);
}

/// Calls visit(i, t) for each number i of a batch of states, one of token t.
template <class Visit>
void for_each_number(const Tensor& states, Visit visit) {
  const Index tokens = states.shape()[2];
  for (Index first = 0; first < states.size(); first += tokens) {
    for (Index t = 0; t < tokens; ++t) visit(first + t, t);
  }
}

/// Re <a|b> of the states of each token.
std::vector<Real> inner_products(const Tensor& a, const Tensor& b) {
  std::vector<Real> sums(static_cast<std::size_t>(a.shape()[2]));
  const Real *x = a.data(), *y = b.data();
  for_each_number(a, [to = sums.data(), x, y](Index i, Index t) { to[t] += x[i] * y[i]; });
  return sums;
}

/// Adds factor times amplitude `source` of all states `from` to amplitude `target` of the states `to`, complex.
void add_multiple(std::complex<double> factor, const Tensor& from, Index source, Tensor& to, Index target) {
  const Index tokens = from.shape()[2], plane = from.size() / 2;
  const Real a = static_cast<Real>(factor.real()), b = static_cast<Real>(factor.imag());
  const Real *x = from.data() + source * tokens, *y = x + plane;
  Real *u = to.data() + target * tokens, *v = u + plane;
#pragma omp simd
  for (Index t = 0; t < tokens; ++t) {
    u[t] += a * x[t] - b * y[t];
    v[t] += a * y[t] + b * x[t];
  }
}

/// The matrix applied to the pairs that the operation mixes. Other amplitudes are copied if `keep_others`
/// holds, otherwise zero.
Tensor apply_matrix(const Operation& operation, const Matrix2& m, const Tensor& states, bool keep_others) {
  Tensor result = keep_others ? states.clone() : Tensor::zeros(states.shape());
  const Index dimension = states.shape()[1], tokens = states.shape()[2];
  for_each_pair(wires_of(states), operation, [&](Index i0, Index i1) {
    for (const Index row : {i0, i1, dimension + i0, dimension + i1}) {
      std::fill_n(result.data() + row * tokens, tokens, Real(0));
    }
    add_multiple(m[0], states, i0, result, i0);
    add_multiple(m[1], states, i1, result, i0);
    add_multiple(m[2], states, i0, result, i1);
    add_multiple(m[3], states, i1, result, i1);
  });
  return result;
}

/// P psi of every state: P|i> = phase(i) |i xor flips>.
Tensor apply_pauli(const PauliString& string, const Tensor& states) {
  Tensor result = Tensor::zeros(states.shape());
  for (Index i = 0; i < states.shape()[1]; ++i) add_multiple(string.phase(i), states, i, result, i ^ string.flips());
  return result;
}

}  // namespace

Variable pad_states(const Variable& rows, int wires) {
  require_values("pad_states", rows);
  const Index dimension = Circuit(wires).dimension();
  require(rows.value().rank() == 2 && rows.shape()[1] <= dimension, "rows {} do not fit the {} amplitudes of {} wires",
          rows.shape(), dimension, wires);
  const Index tokens = rows.shape()[0];
  const Variable zeros(Tensor::zeros({2 * dimension - rows.shape()[1], tokens}));  // the imaginary plane too
  return reshape(concat(std::vector{transpose(rows, 0, 1), zeros}, 0), {2, dimension, tokens});
}

Variable of_safe_size(const Variable& rows) {
  const Index count = rows.shape()[0], width = rows.shape()[1];
  const Real* x = rows.value().data();
  Tensor factors({count, 1});  // at first the largest number of each row
  bool safe = true;
  for (Index row = 0; row < count; ++row, x += width) {
    Real largest = 0;
#pragma omp simd reduction(max : largest)
    for (Index i = 0; i < width; ++i) largest = std::max(largest, std::abs(x[i]));
    factors[row] = largest;
    safe = safe && largest >= Real(0x1p-30) && largest <= Real(0x1p30);
  }
  if (safe) return rows;
  // A float's largest power is 2^127.
  for (Real& f : factors.values()) f = f == 0 ? 0 : std::ldexp(Real(1), std::min(-std::ilogb(f), 126));
  return rows * Variable(factors);
}

// With r = 1/|x|: psi = r x, and dx = r (g - psi (psi·g)), the part of g across psi.
Variable encode_amplitudes(const Variable& rows, int wires) {
  require_values("encode_amplitudes", rows);
  const Variable padded = pad_states(of_safe_size(rows), wires);
  Tensor psi = padded.value().clone();
  std::vector<Real> r = inner_products(psi, psi);
  for (Real& value : r) value = value == 0 ? Real(0) : 1 / std::sqrt(value);
  for_each_number(psi, [x = psi.data(), &r](Index i, Index t) { x[i] *= r[t]; });
  return record("encode_amplitudes", psi, {padded}, [psi, r](const Tensor& g, InputGradients& inputs) {
    const std::vector<Real> along = inner_products(psi, g);
    Tensor dx(g.shape());
    Real* to = dx.data();
    for_each_number(psi, [&](Index i, Index t) { to[i] = r[t] * (g[i] - along[t] * psi[i]); });
    inputs.add(0, std::move(dx));
  });
}

// psi' = M psi. Backward: the gradient of psi is M^dagger g, and that of the angle Re <g| dM/dangle psi>.
Variable apply_gate(const Operation& operation, const Variable& states, const Variable& angles) {
  require_values("apply_gate", states);
  const bool turns = has_angle(operation.gate);
  require(!turns || (angles.value().rank() == 1 && operation.angle < angles.shape()[0]),
          "[apply_gate] {} needs angle {}, but the angles have shape {}", gate_name(operation.gate), operation.angle,
          angles.shape());
  const double angle = turns ? static_cast<double>(angles.value()[operation.angle]) : 0;
  const Matrix2 m = matrix(operation.gate, angle);
  return record(gate_name(operation.gate).data(), apply_matrix(operation, m, states.value(), true),
                {states, turns ? angles : Variable()},
                [operation, angle, m, psi = states.value()](const Tensor& g, InputGradients& inputs) {
                  if (inputs.wanted(0)) inputs.add(0, apply_matrix(operation, adjoint(m), g, true));
                  if (inputs.wanted(1)) {
                    const Matrix2 dm = matrix_derivative(operation.gate, angle);
                    const Tensor d_psi = apply_matrix(operation, dm, psi, false);
                    double sum = 0;
                    for (Index i = 0; i < g.size(); ++i) sum += double{g[i]} * double{d_psi[i]};
                    inputs.accumulator(1)[operation.angle] += static_cast<Real>(sum);
                  }
                });
}

Variable apply_circuit(const Circuit& circuit, const Variable& states, const Variable& angles) {
  require_values("apply_circuit", states);
  require(wires_of(states.value()) == circuit.wires(), "[apply_circuit] states {} do not have {} wires", states.shape(),
          circuit.wires());
  require(angles.value().size() == circuit.angles(), "[apply_circuit] the circuit has {} angles, not {}",
          circuit.angles(), angles.value().size());
  Variable result = states;
  for (const Operation& operation : circuit.operations()) result = apply_gate(operation, result, angles);
  return result;
}

// <psi|P|psi> = Re <psi|P psi>: the product of Re psi and Re P psi, plus that of Im psi and Im P psi, summed over all
// amplitudes. As P is Hermitian, a small change d of psi changes it by <d|P psi> + <P psi|d> = 2 Re <d|P psi>: by
// 2 Re (P psi)_i for d = 1 at amplitude i, by 2 Im (P psi)_i for d = i. So dL/dRe + i dL/dIm is 2 P psi.
Variable expectation_values(const Variable& states, std::span<const PauliString> strings) {
  require_values("expectation_values", states);
  const int wires = wires_of(states.value());
  const Tensor& psi = states.value();
  const Index tokens = psi.shape()[2], count = std::ssize(strings);
  Tensor values({tokens, count});
  Real* to = values.data();
  for (Index m = 0; m < count; ++m) {
    const PauliString& string = strings[m];
    require(string.wires() == wires, "[expectation_values] string {} on states of {} wires", string.text(), wires);
    const std::vector<Real> sums = inner_products(psi, apply_pauli(string, psi));
    for (Index t = 0; t < tokens; ++t) to[t * count + m] = sums[t];
  }
  return record(
      "expectation_values", std::move(values), {states},
      [psi, used = std::vector<PauliString>(strings.begin(), strings.end())](const Tensor& g, InputGradients& inputs) {
        Real* gradient = inputs.accumulator(0).data();
        for (Index m = 0; m < std::ssize(used); ++m) {
          const Tensor p_psi = apply_pauli(used[m], psi);
          for_each_number(psi, [&](Index i, Index t) { gradient[i] += 2 * g[t * std::ssize(used) + m] * p_psi[i]; });
        }
      });
}

}  // namespace qisa
