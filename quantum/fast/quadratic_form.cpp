#include "quantum/fast/quadratic_form.hpp"

#include "autograd/operations.hpp"
#include "quantum/fast/adjoint.hpp"
#include "quantum/stepwise.hpp"

namespace qisa {

QuadraticForms::QuadraticForms(std::span<const std::vector<PauliString>> strings)
    : strings_(strings.begin(), strings.end()) {
  require(!strings_.empty() && !strings_.front().empty(), "quadratic forms need at least one Pauli string");
  bank_ = std::make_shared<BankProgram>(Circuit(strings_.front().front().wires()), strings, Encoding::parts);
}

// d(y^T P y) = 2 P y, which is real as P is.
Variable QuadraticForms::measure(const Variable& y, CircuitKernel kernel) const {
  require_values("quadratic_forms", y);
  if (kernel == CircuitKernel::stepwise) return measure_stepwise(y);
  const Tensor no_angles({bank_->circuits(), 0});
  return record("quadratic_forms", measure_circuits(*bank_, no_angles, y.value()), {y},
                [bank = bank_, no_angles, vy = y.value()](const Tensor& g, InputGradients& inputs) {
                  measure_circuits_backward(*bank, no_angles, vy, g, &inputs.accumulator(0), nullptr);
                });
}

Variable QuadraticForms::measure_stepwise(const Variable& y) const {
  const Index columns = bank_->columns(y.shape()), tokens = y.shape()[0], dimension = bank_->program.dimension();
  std::vector<Variable> values;
  for (std::size_t h = 0; h < strings_.size(); ++h) {
    const Variable own = transpose(narrow(y, 1, static_cast<Index>(h) * columns, columns), 0, 1);
    const Variable zeros(Tensor::zeros({2 * dimension - columns, tokens}));  // padding, and the imaginary plane
    const Variable states = reshape(concat(std::vector{own, zeros}, 0), {2, dimension, tokens});
    values.push_back(expectation_values(states, strings_[h]));
  }
  return concat(values, 1);
}

}  // namespace qisa
