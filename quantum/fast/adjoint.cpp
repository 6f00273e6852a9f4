#include "quantum/fast/adjoint.hpp"

#include <algorithm>

#include "tensor/fast/lane_transpose.hpp"

namespace qisa {
namespace {

/// Rows as initial states, a block of lane_count tokens at a time.
class Encoder {
 public:
  Encoder(const BankProgram& bank, const Tensor& rows)
      : encodes_(bank.encoding == Encoding::amplitude),
        columns_(bank.columns(rows.shape())),
        parts_(encodes_ ? 1 : bank.circuits()),
        size_(bank.program.dimension() * lane_count),
        rows_(rows),
        block_(Tensor::zeros({parts_, size_})),
        scale_(Tensor::full({lane_count}, 1)) {}

  /// Takes the block that begins with this row.
  void load(Index first) {
    for (Index p = 0; p < parts_; ++p) {
      const Real* from = rows_.data() + (first * parts_ + p) * columns_;
      rows_to_lanes(from, parts_ * columns_, count(first), columns_, x_ + p * size_, lane_count);
    }
    if (!encodes_) return;
    Lanes squares = {};
    for (Index i = 0; i < columns_ * lane_count; i += lane_count) squares += lanes(x_ + i) * lanes(x_ + i);
    lanes(r_) = inverse_root(squares);
  }

  /// A circuit's initial states are these real numbers [2^n, lane_count], times scale() [lane_count].
  const Real* input(std::size_t circuit) const { return x_ + place(circuit); }
  const Real* scale() const { return r_; }

  /// Adds the real parts of a circuit's gradient with respect to its initial states, times a factor.
  void add_gradient(std::size_t circuit, const Real* gradient, Real factor) {
    if (g_ == nullptr) g_ = (gradient_ = Tensor::zeros(block_.shape())).data();
    Real* to = g_ + place(circuit);
    for (Index k = 0; k < columns_; ++k) lanes(to + k * lane_count) += factor * lanes(gradient + k * amplitude_size);
  }

  /// Adds what was added for this block to the gradient of the rows: with psi = x / |x| it is
  /// dL/dx = (dL/d psi - psi (psi . dL/d psi)) / |x|.
  void finish_gradient(Index first, Tensor& grad_rows) {
    Lanes dot = {};
    for (Index i = 0; encodes_ && i < columns_ * lane_count; i += lane_count) {
      dot += lanes(r_) * lanes(x_ + i) * lanes(g_ + i);
    }
    for (Index i = 0; encodes_ && i < columns_ * lane_count; i += lane_count) {
      lanes(g_ + i) = (lanes(g_ + i) - lanes(r_) * lanes(x_ + i) * dot) * lanes(r_);
    }
    for (Index p = 0; p < parts_; ++p) {
      Real* to = grad_rows.data() + (first * parts_ + p) * columns_;
      lanes_to_rows(g_ + p * size_, count(first), columns_, to, parts_ * columns_, true);
    }
    gradient_.fill(0);
  }

 private:
  Index count(Index first) const { return std::min(lane_count, rows_.shape()[0] - first); }
  Index place(std::size_t circuit) const { return encodes_ ? 0 : circuit * size_; }

  bool encodes_;
  Index columns_, parts_, size_;
  const Tensor& rows_;
  Tensor block_, scale_, gradient_;
  Real *x_ = block_.data(), *r_ = scale_.data(), *g_ = nullptr;
};

}  // namespace

BankProgram::BankProgram(const Circuit& circuit, std::span<const std::vector<PauliString>> measured, Encoding rows)
    : program(circuit), encoding(rows) {
  const bool real = circuit.operations().empty();  // states stay so without gates
  for (const std::vector<PauliString>& own : measured) {
    const Observables& o = observables.emplace_back(own, program.offsets(), real);
    strings += o.count();
    scratch_size = std::max(scratch_size, o.scratch_size());
  }
}

Index BankProgram::columns(const Shape& rows) const {
  const Index parts = encoding == Encoding::amplitude ? 1 : circuits(), most = program.dimension();
  require(rows.rank() == 2 && rows[1] % parts == 0 && rows[1] <= parts * most,
          "inputs {} must be [T, {}C] with C at most {}, the amplitudes of {} wires", rows,
          parts == 1 ? "" : fmt::format("{} ", parts), most, program.wires());
  return rows[1] / parts;
}

std::vector<BoundProgram> BankProgram::bind(const Tensor& angles) const {
  std::vector<BoundProgram> bound;
  for (Index h = 0; h < circuits(); ++h) bound.push_back(program.bind(angles.data() + h * program.angles()));
  return bound;
}

Tensor measure_circuits(const BankProgram& bank, std::span<const BoundProgram> circuits, const Tensor& rows) {
  Encoder encoder(bank, rows);
  return measure_states(bank, rows.shape()[0], [&](std::size_t h, Index first, Real* state) {
    if (h == 0) encoder.load(first);
    bank.program.run(circuits[h], encoder.input(h), encoder.scale(), state);
  });
}

Tensor measure_states(const BankProgram& bank, Index tokens, const PrepareStates& prepare) {
  const Index strings = bank.strings;
  Tensor out({tokens, strings}), state({2 * bank.program.dimension() * lane_count});
  Tensor expectations({strings, lane_count}), scratch({bank.scratch_size});
  for (Index first = 0; first < tokens; first += lane_count) {
    Real* result = expectations.data();
    for (std::size_t h = 0; h < bank.observables.size(); ++h) {
      prepare(h, first, state.data());
      bank.observables[h].measure(state.data(), result, scratch.data());
      result += bank.observables[h].count() * lane_count;
    }
    const Index count = std::min(lane_count, tokens - first);
    lanes_to_rows(expectations.data(), count, strings, out.data() + first * strings, strings);
  }
  return out;
}

void measure_circuits_backward(const BankProgram& bank, const Tensor& angles, const Tensor& rows,
                               const Tensor& grad_out, Tensor* grad_rows, Tensor* grad_angles) {
  const Program& program = bank.program;
  const auto circuits = bank.bind(angles);
  const Index strings = bank.strings, tokens = rows.shape()[0], size = 2 * program.dimension() * lane_count;
  Encoder encoder(bank, rows);

  Tensor state({size}), gradient({size}), weights({strings, lane_count}), scratch({bank.scratch_size});
  Tensor sums({static_cast<Index>(program.steps()), lane_count});
  std::vector<std::vector<Moment>> moments(circuits.size(), std::vector<Moment>(program.steps()));
  for (Index first = 0; first < tokens; first += lane_count) {
    encoder.load(first);
    rows_to_lanes(grad_out.data() + first * strings, strings, std::min(lane_count, tokens - first), strings,
                  weights.data(), lane_count);
    const Real* weight = weights.data();
    for (std::size_t h = 0; h < circuits.size(); ++h) {
      program.run(circuits[h], encoder.input(h), encoder.scale(), state.data());
      bank.observables[h].gradient(weight, state.data(), gradient.data(), scratch.data());
      weight += bank.observables[h].count() * lane_count;
      program.run_backward(circuits[h], state.data(), gradient.data(), moments[h], sums.data());
      // The input is real: only the real part of its gradient counts.
      if (grad_rows != nullptr) encoder.add_gradient(h, gradient.data(), circuits[h].scale);
    }
    if (grad_rows != nullptr) encoder.finish_gradient(first, *grad_rows);
  }
  for (std::size_t h = 0; grad_angles != nullptr && h < circuits.size(); ++h) {
    program.add_angle_gradients(circuits[h], moments[h], grad_angles->data() + h * program.angles());
  }
}

}  // namespace qisa
