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
      is_turn ? turn<axis>(-step.tangent, (*of)[i], (*of)[j]) : multiply_adjoint(step.matrix, (*of)[i], (*of)[j]);
    }
  });
  vector_at(sums) = sum;
}

// ---- Which steps: those of a sweep as they come, or a list that the compiler
// knows.

class AnySteps {
 public:
  template <int wires>
  static void run(const Sweep& sweep, const BoundStep* steps, Group<wires>& x) {
    for (const BoundStep& step : std::span(steps, sweep.steps.size())) {
      with_constants(step,
                     [&]<Axis axis, bool second_wire>() { run_step<wires, axis, second_wire>(step, step.is_turn, x); });
    }
  }

  template <int wires>
  static void undo(const Sweep& sweep, const BoundStep* steps, Group<wires>& x, Group<wires>& g, Real* sums) {
    for (std::size_t s = sweep.steps.size(); s-- > 0;) {
      with_constants(steps[s], [&]<Axis axis, bool second_wire>() {
        undo_step<wires, axis, second_wire>(steps[s], steps[s].is_turn, x, g,
                                            sums + static_cast<Index>(s) * lane_count);
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
      if (!steps[s].is_turn || steps[s].axis != std::array{axes...}[s % each]) return false;
      if (steps[s].second_wire != (s >= each)) return false;
    }
    return true;
  }

  template <int wires>
  [[gnu::always_inline]] static void run(const Sweep&, const BoundStep* steps, Group<wires>& x) {
    (run_step<wires, axes, false>(*steps++, true, x), ...);
    if constexpr (wires == 2) (run_step<wires, axes, true>(*steps++, true, x), ...);
  }

  template <int wires>
  [[gnu::always_inline]] static void undo(const Sweep&, const BoundStep* steps, Group<wires>& x, Group<wires>& g,
                                          Real* sums) {
    if constexpr (wires == 2) undo_wire<wires, true, axes...>(steps + each, x, g, sums + Index{each} * lane_count);
    undo_wire<wires, false, axes...>(steps, x, g, sums);
  }

 private:
  static constexpr std::size_t each = sizeof...(axes);

  template <int wires, bool second_wire, Axis first, Axis... rest>
  [[gnu::always_inline]] static void undo_wire(const BoundStep* step, Group<wires>& x, Group<wires>& g, Real* sums) {
    if constexpr (sizeof...(rest) > 0) undo_wire<wires, second_wire, rest...>(step + 1, x, g, sums + lane_count);
    undo_step<wires, first, second_wire>(*step, true, x, g, sums);
  }
};

/// The steps on all groups of a block. load_from(t) is a function that makes
/// those of the tokens from t on.
template <int wires, class Steps, class Load>
[[gnu::always_inline]] inline void run_groups(const Sweep& sweep, const BoundStep* steps, Real* state, Load load_from) {
  for (Index t = 0; t < lane_count; t += vector_count) {
    const auto load_group = load_from(t);
    for (const Offsets& offsets : sweep.groups) {
      Group<wires> x = load_group(offsets);
      Steps::template run<wires>(sweep, steps, x);
      store<wires>(x, offsets, state + t);
    }
  }
}

template <int wires, class Steps>
void run(const Sweep& sweep, const BoundStep* steps, Real* state) {
  run_groups<wires, Steps>(sweep, steps, state, [=](Index t) {
    return [from = state + t](const Offsets& offsets) { return load<wires>(from, offsets); };
  });
}

template <int wires, class Steps>
void run_real(const Sweep& sweep, const BoundStep* steps, const Real* input, const Real* token_scale, Real scale,
              Real* state) {
  run_groups<wires, Steps>(sweep, steps, state, [=](Index t) {
    return [from = input + t, own_scale = vector_at(token_scale + t), scale](const Offsets& offsets) {
      Group<wires> x;
#pragma GCC unroll 4
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Real* real = from + (offsets[i] >> 1);  // half as far as in a state: there are no imaginary parts
        x[i] = {scale * (own_scale * vector_at(real)), Vector{}};
      }
      return x;
    };
  });
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
constexpr SweepKernel sweep_kernel = {run<wires, Steps>, run_real<wires, Steps>, undo<wires, Steps>};

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
