#include "quantum/fast/quadratic_form.hpp"

#include <algorithm>

#include "autograd/operations.hpp"
#include "quantum/fast/sweep.hpp"
#include "quantum/stepwise.hpp"
#include "tensor/fast/lane_transpose.hpp"

namespace qisa {
namespace {

/// The amplitudes of one head as a block of states; `state` keeps its zeros elsewhere.
void load(const Real* block, Index width, Real* state) {
  for (Index k = 0; k < width; ++k) lanes(state + k * amplitude_size) = lanes(block + k * lane_count);
}

}  // namespace

QuadraticForms::QuadraticForms(std::span<const std::vector<PauliString>> strings)
    : strings_(strings.begin(), strings.end()) {
  require(!strings_.empty() && !strings_.front().empty(), "quadratic forms need at least one Pauli string");
  const int wires = strings_.front().front().wires();
  dimension_ = Index{1} << wires;
  for (std::size_t h = 0; h < strings_.size(); ++h) {
    std::vector<PauliString> real;
    std::vector<Index> outputs;
    for (const PauliString& string : strings_[h]) {
      require(string.wires() == wires, "Pauli strings \"{}\" and \"{}\" have different lengths",
              strings_.front().front().text(), string.text());
      if (string.is_real()) {
        real.push_back(string);
        outputs.push_back(outputs_);
      }
      ++outputs_;
    }
    if (!real.empty()) heads_.push_back({static_cast<Index>(h), outputs, Observables(real)});
  }
}

Variable QuadraticForms::measure(const Variable& y, CircuitKernel kernel) const {
  if (kernel == CircuitKernel::stepwise) return measure_stepwise(y);
  return record("quadratic_forms", measure_blocks(y.value()), {y},
                [forms = this, vy = y.value()](const Tensor& g, InputGradients& inputs) {
                  forms->add_gradient(vy, g, inputs.accumulator(0));
                });
}

Index QuadraticForms::width(const Tensor& y) const {
  const Index heads = std::ssize(strings_);
  require(y.rank() == 2 && y.shape()[1] % heads == 0 && y.shape()[1] <= heads * dimension_,
          "[quadratic_forms] y {} must be [T, {} C] with C at most {}: {} heads of 2^wires amplitudes", y.shape(),
          heads, dimension_, heads);
  return y.shape()[1] / heads;
}

Variable QuadraticForms::measure_stepwise(const Variable& y) const {
  const Index columns = width(y.value()), tokens = y.shape()[0];
  std::vector<Variable> values;
  for (std::size_t h = 0; h < strings_.size(); ++h) {
    const Variable own = transpose(narrow(y, 1, static_cast<Index>(h) * columns, columns), 0, 1);
    const Variable zeros(Tensor::zeros({2 * dimension_ - columns, tokens}));  // padding, and the imaginary plane
    const Variable states = reshape(concat(std::vector{own, zeros}, 0), {2, dimension_, tokens});
    values.push_back(expectation_values(states, strings_[h]));
  }
  return concat(values, 1);
}

/// Room for every head's observables.
Index QuadraticForms::scratch_size() const {
  Index size = 0;
  for (const Head& head : heads_) size = std::max(size, head.observables.scratch_size());
  return size;
}

Tensor QuadraticForms::measure_blocks(const Tensor& y) const {
  const Index each = width(y), columns = y.shape()[1], tokens = y.shape()[0];
  Tensor out({tokens, outputs_}), block({columns, lane_count}), state = Tensor::zeros({dimension_, 2, lane_count});
  Tensor measured({outputs_, lane_count}), results = Tensor::zeros({outputs_, lane_count}), scratch({scratch_size()});
  for (Index first = 0; first < tokens; first += lane_count) {
    const Index count = std::min(lane_count, tokens - first);
    rows_to_lanes(y.data() + first * columns, columns, count, columns, block.data(), lane_count);
    for (const Head& head : heads_) {
      load(block.data() + head.number * each * lane_count, each, state.data());
      head.observables.measure(state.data(), measured.data(), scratch.data());
      const Real* from = measured.data();
      for (const Index output : head.outputs) {
        lanes(results.data() + output * lane_count) = lanes(from);
        from += lane_count;
      }
    }
    lanes_to_rows(results.data(), count, outputs_, out.data() + first * outputs_, outputs_);
  }
  return out;
}

// d(y^T P y) = 2 P y, which is real as P is.
void QuadraticForms::add_gradient(const Tensor& y, const Tensor& grad_out, Tensor& grad_y) const {
  const Index each = width(y), columns = y.shape()[1], tokens = y.shape()[0];
  Tensor block({columns, lane_count}), state = Tensor::zeros({dimension_, 2, lane_count}),
                                       gradient({dimension_, 2, lane_count});
  Tensor grad_results({outputs_, lane_count}), weights({outputs_, lane_count}),
      grad_block = Tensor::zeros({columns, lane_count});
  Tensor scratch({scratch_size()});
  for (Index first = 0; first < tokens; first += lane_count) {
    const Index count = std::min(lane_count, tokens - first);
    rows_to_lanes(y.data() + first * columns, columns, count, columns, block.data(), lane_count);
    rows_to_lanes(grad_out.data() + first * outputs_, outputs_, count, outputs_, grad_results.data(), lane_count);
    for (const Head& head : heads_) {
      load(block.data() + head.number * each * lane_count, each, state.data());
      Real* to = weights.data();
      for (const Index output : head.outputs) {
        lanes(to) = lanes(grad_results.data() + output * lane_count);
        to += lane_count;
      }
      head.observables.gradient(weights.data(), state.data(), gradient.data(), scratch.data());
      for (Index k = 0; k < each; ++k) {
        lanes(grad_block.data() + (head.number * each + k) * lane_count) = lanes(gradient.data() + k * amplitude_size);
      }
    }
    lanes_to_rows(grad_block.data(), count, columns, grad_y.data() + first * columns, columns, true);
  }
}

// (W^T P W)_ij = sum_k W_(k xor flips),i phase(k) W_k,j.
Tensor transformed_observables(const Tensor& weight, std::span<const PauliString> strings) {
  const Index rows = weight.shape()[0], columns = weight.shape()[1];
  Tensor result = Tensor::zeros({std::ssize(strings), columns, columns});
  Real* matrix = result.data();
  for (const PauliString& string : strings) {
    require(rows <= Index{1} << string.wires(), "a matrix {} does not fit the {} wires of Pauli string {}",
            weight.shape(), string.wires(), string.text());
    for (Index k = 0; k < rows; ++k) {
      const Index flipped = k ^ string.flips();
      if (!string.is_real() || flipped >= rows) continue;
      const Real phase = static_cast<Real>(string.phase(k).real());
      for (Index i = 0; i < columns; ++i) {
        for (Index j = 0; j < columns; ++j) {
          matrix[i * columns + j] += weight[flipped * columns + i] * phase * weight[k * columns + j];
        }
      }
    }
    matrix += columns * columns;
  }
  return result;
}

}  // namespace qisa
