#include "quantum/circuit_bank.hpp"

#include "autograd/operations.hpp"
#include "quantum/fast/adjoint.hpp"
#include "quantum/stepwise.hpp"

namespace qisa {

CircuitBank::CircuitBank(Circuit circuit, std::span<const std::vector<PauliString>> strings)
    : circuit_(std::move(circuit)), program_(circuit_) {
  for (const std::vector<PauliString>& own : strings) {
    for (const PauliString& string : own) {
      require(string.wires() == circuit_.wires(), "Pauli strings of {} characters for a circuit of {} wires",
              string.wires(), circuit_.wires());
    }
    observables_.emplace_back(own, program_.offsets());
  }
}

Variable CircuitBank::measure(const Variable& angles, const Variable& rows, CircuitKernel kernel) const {
  require(kernel != CircuitKernel::fused, "a fused circuit has no gradient; measure it with Fused");
  const Shape expected = {std::ssize(observables_), circuit_.angles()};
  require(angles.shape() == expected, "a bank of {} circuits of {} angles needs angles of shape {}, not {}",
          observables_.size(), circuit_.angles(), expected, angles.shape());
  return kernel == CircuitKernel::stepwise ? measure_stepwise(angles, rows) : measure_adjoint(angles, rows);
}

Variable CircuitBank::measure_stepwise(const Variable& angles, const Variable& rows) const {
  const Variable encoded = encode_amplitudes(rows, circuit_.wires());
  std::vector<Variable> values;
  for (std::size_t i = 0; i < observables_.size(); ++i) {
    const Variable own_angles = reshape(narrow(angles, 0, static_cast<Index>(i), 1), {circuit_.angles()});
    values.push_back(expectation_values(apply_circuit(circuit_, encoded, own_angles), observables_[i].strings()));
  }
  return concat(values, 1);
}

Variable CircuitBank::measure_adjoint(const Variable& angles, const Variable& rows) const {
  return record("measure_circuits", measure_circuits(program_, angles.value(), observables_, rows.value()),
                {angles, rows},
                [bank = this, va = angles.value(), vr = rows.value()](const Tensor& g, InputGradients& inputs) {
                  measure_circuits_backward(bank->program_, va, bank->observables_, vr, g,
                                            inputs.wanted(1) ? &inputs.accumulator(1) : nullptr,
                                            inputs.wanted(0) ? &inputs.accumulator(0) : nullptr);
                });
}

}  // namespace qisa
