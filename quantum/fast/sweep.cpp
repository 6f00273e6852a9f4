#include "quantum/fast/sweep.hpp"

#include <span>
#include <utility>

namespace qisa {
namespace {

// What works on groups is always inlined: a function's arguments would go
// through memory.

/// The amplitudes that gates on one wire or two mix.
template <int wires>
using Group = std::array<Amplitude, 2 * wires>;

template <int wires>
[[gnu::always_inline]] inline Group<wires> load(const Real* state, const Offsets& offsets) {
  Group<wires> x;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = {vector_at(state + offsets[i]), vector_at(state + offsets[i] + lane_count)};
  }
  return x;
}

template <int wires>
[[gnu::always_inline]] inline void store(const Group<wires>& x, const Offsets& offsets, Real* state) {
#pragma GCC unroll 4
  for (std::size_t i = 0; i < x.size(); ++i) {
    vector_at(state + offsets[i]) = x[i].re;
    vector_at(state + offsets[i] + lane_count) = x[i].im;
  }
}

/// Calls visit(i, j) for the pairs of a group that differ in the bit of its
/// first or second wire.
template <int wires, bool second_wire, class Visit>
[[gnu::always_inline]] inline void for_each_partner(Visit visit) {
  constexpr std::size_t bit = second_wire ? wires : 1;  // a sweep on one wire has no second
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 2 * wires; ++i) {
    if ((i & bit) == 0) visit(i, i | bit);
  }
}

/// A step on a group. `is_turn` is the step's, passed as a constant where it is
/// known.
template <int wires, Axis axis, bool second_wire>
[[gnu::always_inline]] inline void run_step(const BoundStep& step, bool is_turn, Group<wires>& x) {
  for_each_partner<wires, second_wire>([&](std::size_t i, std::size_t j) {
    is_turn ? turn<axis>(step.tangent, x[i], x[j]) : multiply(step.matrix, x[i], x[j]);
  });
}

/// Adds the step's moment on a group of states x and of gradients g to its
/// sums, and undoes it on both.
template <int wires, Axis axis, bool second_wire>
[[gnu::always_inline]] inline void undo_step(const BoundStep& step, bool is_turn, Group<wires>& x, Group<wires>& g,
                                             Real* sums) {
  Vector sum = vector_at(sums);
  for_each_partner<wires, second_wire>([&](std::size_t i, std::size_t j) {
    sum += moment<axis>(x[i], x[j], g[i], g[j]);
    for (Group<wires>* of : {&x, &g}) {
      is_turn ? turn<axis>(-step.tangent, (*of)[i], (*of)[j]) : multiply(adjoint(step.matrix), (*of)[i], (*of)[j]);
    }
  });
  vector_at(sums) = sum;
}

// ---- Which steps: those of a sweep as they come, or a list that the compiler
// knows.

class AnySteps {
 public:
  template <int wires>
  [[gnu::always_inline]] static void run(const Sweep& sweep, const BoundStep* steps, Group<wires>& x) {
    for (const BoundStep& step : std::span(steps, sweep.steps.size())) {
      with_constants(step,
                     [&]<Axis axis, bool second_wire>() { run_step<wires, axis, second_wire>(step, step.is_turn, x); });
    }
  }

  template <int wires>
  [[gnu::always_inline]] static void undo(const Sweep& sweep, const BoundStep* steps, Group<wires>& x, Group<wires>& g,
                                          Real* sums) {
    for (std::size_t s = sweep.steps.size(); s-- > 0;) {
      with_constants(steps[s], [&]<Axis axis, bool second_wire>() {
        undo_step<wires, axis, second_wire>(steps[s], steps[s].is_turn, x, g, sums + s * lane_count);
      });
    }
  }

 private:
  /// Calls visit.operator()<axis, second_wire>() with those of the step.
  template <class Visit>
  static void with_constants(const BoundStep& step, Visit visit) {
    const auto try_case = [&]<Axis axis, bool second_wire>() {
      if (step.axis == axis && step.second_wire == second_wire) visit.template operator()<axis, second_wire>();
    };
    [&]<std::size_t... i>(std::index_sequence<i...>) { (try_case.template operator()<Axis(i / 2), i % 2 == 1>(), ...); }
    (std::make_index_sequence<6>());
  }
};

/// Turns about these axes on each wire.
template <Axis... axes>
class Turns {
 public:
  static bool are(const Sweep& sweep, const BoundStep* steps) {
    const std::size_t count = sweep.steps.size();
    if (count != static_cast<std::size_t>(sweep.wires) * each) return false;
    for (std::size_t s = 0; s < count; ++s) {
      if (!steps[s].is_turn || steps[s].axis != list[s % each] || steps[s].second_wire != (s >= each)) return false;
    }
    return true;
  }

  template <int wires>
  [[gnu::always_inline]] static void run(const Sweep&, const BoundStep* steps, Group<wires>& x) {
    [&]<std::size_t... s>(std::index_sequence<s...>) __attribute__((always_inline)) {
      (run_step<wires, list[s % each], (s >= each)>(steps[s], true, x), ...);
    }
    (std::make_index_sequence<wires * each>());
  }

  template <int wires>
  [[gnu::always_inline]] static void undo(const Sweep&, const BoundStep* steps, Group<wires>& x, Group<wires>& g,
                                          Real* sums) {
    constexpr std::size_t last = wires * each - 1;
    [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
      (undo_step<wires, list[(last - i) % each], (last - i >= each)>(steps[last - i], true, x, g,
                                                                     sums + Index{last - i} * lane_count),
       ...);
    }
    (std::make_index_sequence<wires * each>());
  }

 private:
  static constexpr std::size_t each = sizeof...(axes);
  static constexpr std::array list = {axes...};
};

template <int wires, class Steps, bool real>
void run(const Sweep& sweep, const BoundStep* steps, RealStates from, Real* state) {
  for (Index t = 0; t < lane_count; t += vector_count) {
    const Vector token_scale = real ? vector_at(from.token_scale + t) : Vector{};
    for (const Offsets& offsets : sweep.groups) {
      Group<wires> x;
#pragma GCC unroll 4
      for (std::size_t i = 0; real && i < x.size(); ++i) {
        const Real* number = from.input + t + (offsets[i] >> 1);  // half as far as in a state: no imaginary parts
        x[i] = {from.scale * (token_scale * vector_at(number)), Vector{}};
      }
      if (!real) x = load<wires>(state + t, offsets);
      Steps::template run<wires>(sweep, steps, x);
      store<wires>(x, offsets, state + t);
    }
  }
}

template <int wires, class Steps>
void undo(const Sweep& sweep, const BoundStep* steps, Real* state, bool to_state, Real* gradient, Real* sums) {
  for (Index t = 0; t < lane_count; t += vector_count) {
    for (const Offsets& offsets : sweep.groups) {
      Group<wires> x = load<wires>(state + t, offsets), g = load<wires>(gradient + t, offsets);
      Steps::template undo<wires>(sweep, steps, x, g, sums + t);
      store<wires>(g, offsets, gradient + t);
      if (to_state) store<wires>(x, offsets, state + t);
    }
  }
}

template <int wires, class Steps>
constexpr SweepKernel sweep_kernel = {run<wires, Steps, false>, run<wires, Steps, true>, undo<wires, Steps>};

template <int wires>
const SweepKernel& kernel_of(const Sweep& sweep, const BoundStep* steps) {
  using RxRy = Turns<Axis::X, Axis::Y>;
  using Ry = Turns<Axis::Y>;
  if (RxRy::are(sweep, steps)) return sweep_kernel<wires, RxRy>;
  if (Ry::are(sweep, steps)) return sweep_kernel<wires, Ry>;
  return sweep_kernel<wires, AnySteps>;
}

}  // namespace

// The sweeps of the paper's circuit have code of their own: their groups stay
// in registers without a branch for each gate.
const SweepKernel& kernel_for(const Sweep& sweep, const BoundStep* steps) {
  return sweep.wires == 1 ? kernel_of<1>(sweep, steps) : kernel_of<2>(sweep, steps);
}

}  // namespace qisa
