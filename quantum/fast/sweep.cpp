#include "quantum/fast/sweep.hpp"

#include <span>

namespace qisa {
namespace {

// What works on groups is always inlined: a function's arguments would go through memory.

/// The amplitudes that gates on one wire or two mix.
template <int wires>
using Group = std::array<Amplitude, 2 * wires>;

/// The group of which amplitude i is get(i).
template <int wires, class Get>
[[gnu::always_inline]] inline Group<wires> make_group(Get get) {
  if constexpr (wires == 1) {
    return {get(0), get(1)};
  } else {
    return {get(0), get(1), get(2), get(3)};
  }
}

template <int wires>
[[gnu::always_inline]] inline Group<wires> load(const Real* state, const Offsets& offsets) {
  return make_group<wires>([&](std::size_t i) {
    return Amplitude{vector_at(state + offsets[i]), vector_at(state + offsets[i] + lane_count)};
  });
}

template <int wires>
[[gnu::always_inline]] inline void store(const Group<wires>& x, const Offsets& offsets, Real* state) {
  const auto put = [&](std::size_t i) {
    vector_at(state + offsets[i]) = x[i].re;
    vector_at(state + offsets[i] + lane_count) = x[i].im;
  };
  put(0);
  put(1);
  if constexpr (wires == 2) {
    put(2);
    put(3);
  }
}

/// Calls visit(i, j) for the pairs of a group that differ in the bit of its first or second wire.
template <int wires, bool second_wire, class Visit>
[[gnu::always_inline]] inline void for_each_pair(Visit visit) {
  if constexpr (wires == 1) {
    visit(0, 1);
  } else if constexpr (second_wire) {
    visit(0, 2);
    visit(1, 3);
  } else {
    visit(0, 1);
    visit(2, 3);
  }
}

/// A step on a group. `is_turn` is the step's, passed as a constant where it is known.
template <int wires, Axis axis, bool second_wire>
[[gnu::always_inline]] inline void run_step(const BoundStep& step, bool is_turn, Group<wires>& x) {
  for_each_pair<wires, second_wire>([&](std::size_t i, std::size_t j) {
    is_turn ? turn<axis>(step.tangent, x[i], x[j]) : multiply(step.matrix, x[i], x[j]);
  });
}

/// Adds the step's moment on a group of states x and of gradients g to its sums, and undoes it on both.
template <int wires, Axis axis, bool second_wire>
[[gnu::always_inline]] inline void undo_step(const BoundStep& step, bool is_turn, Group<wires>& x, Group<wires>& g,
                                             Real* sums) {
  Vector sum = vector_at(sums);
  for_each_pair<wires, second_wire>([&](std::size_t i, std::size_t j) {
    sum += moment<axis>(x[i], x[j], g[i], g[j]);
    for (Group<wires>* of : {&x, &g}) {
      is_turn ? turn<axis>(-step.tangent, (*of)[i], (*of)[j]) : multiply_adjoint(step.matrix, (*of)[i], (*of)[j]);
    }
  });
  vector_at(sums) = sum;
}

// ---- Which steps: those of a sweep as they come, or a list that the compiler knows.

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
  template <class Visit>
  static void with_constants(const BoundStep& step, Visit visit) {
    const auto on_wire = [&]<bool second_wire>() {
      switch (step.axis) {
        case Axis::X:
          return visit.template operator()<Axis::X, second_wire>();
        case Axis::Y:
          return visit.template operator()<Axis::Y, second_wire>();
        case Axis::Z:
          return visit.template operator()<Axis::Z, second_wire>();
      }
    };
    step.second_wire ? on_wire.template operator()<true>() : on_wire.template operator()<false>();
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

template <int wires, class Steps, class Load>
[[gnu::always_inline]] inline void run_groups(const Sweep& sweep, const BoundStep* steps, Real* state,
                                              Load load_group) {
  for (const Offsets& offsets : sweep.groups) {
    Group<wires> x = load_group(offsets);
    Steps::template run<wires>(sweep, steps, x);
    store<wires>(x, offsets, state);
  }
}

/// Calls visit(t) for the tokens t of a block from which on a vector begins.
template <class Visit>
[[gnu::always_inline]] inline void for_each_vector(Visit visit) {
  for (Index t = 0; t < lane_count; t += vector_count) visit(t);
}

template <int wires, class Steps>
void run(const Sweep& sweep, const BoundStep* steps, Real* state) {
  for_each_vector([=, &sweep](Index t) {
    run_groups<wires, Steps>(sweep, steps, state + t,
                             [state = state + t](const Offsets& offsets) { return load<wires>(state, offsets); });
  });
}

template <int wires, class Steps>
void run_real(const Sweep& sweep, const BoundStep* steps, const Real* input, const Real* token_scale, Real scale,
              Real* state) {
  for_each_vector([=, &sweep](Index t) {
    const Vector own_scale = vector_at(token_scale + t);
    run_groups<wires, Steps>(sweep, steps, state + t, [input = input + t, own_scale, scale](const Offsets& offsets) {
      return make_group<wires>([&](std::size_t i) {
        const Real* real = input + (offsets[i] >> 1);  // half as far as in a state: there are no imaginary parts
        return Amplitude{scale * (own_scale * vector_at(real)), Vector{}};
      });
    });
  });
}

template <int wires, class Steps>
void undo(const Sweep& sweep, const BoundStep* steps, Real* state, bool to_state, Real* gradient, Real* sums) {
  for_each_vector([=, &sweep](Index t) {
    for (const Offsets& offsets : sweep.groups) {
      Group<wires> x = load<wires>(state + t, offsets), g = load<wires>(gradient + t, offsets);
      Steps::template undo<wires>(sweep, steps, x, g, sums + t);
      store<wires>(g, offsets, gradient + t);
      if (to_state) store<wires>(x, offsets, state + t);
    }
  });
}

template <int wires, class Steps>
constexpr SweepKernel kernel = {run<wires, Steps>, run_real<wires, Steps>, undo<wires, Steps>};

template <int wires>
const SweepKernel& kernel_of(const Sweep& sweep, const BoundStep* steps) {
  using RxRy = Turns<Axis::X, Axis::Y>;
  using Ry = Turns<Axis::Y>;
  if (RxRy::are(sweep, steps)) return kernel<wires, RxRy>;
  if (Ry::are(sweep, steps)) return kernel<wires, Ry>;
  return kernel<wires, AnySteps>;
}

}  // namespace

// The sweeps of the paper's circuit have code of their own: their groups stay in registers without a branch for
// each gate.
const SweepKernel& kernel_for(const Sweep& sweep, const BoundStep* steps) {
  return sweep.wires == 1 ? kernel_of<1>(sweep, steps) : kernel_of<2>(sweep, steps);
}

}  // namespace qisa
