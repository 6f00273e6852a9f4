#include "quantum/circuit_bank.hpp"

#include <mutex>

#include "autograd/operations.hpp"
#include "quantum/fast/fused.hpp"
#include "quantum/stepwise.hpp"

namespace qisa {

/// The bank as the fast kernels run it. Operations of the graph own it too: they outlive the bank.
struct CircuitBank::Fast {
  std::shared_ptr<const BankProgram> program;
  std::shared_ptr<const Fused> last;  // with the angles that were last asked for
  std::mutex guards_last;

  std::shared_ptr<const Fused> fused(const Tensor& angles) {
    const std::lock_guard lock(guards_last);
    if (!last || !last->has(angles)) last = std::make_shared<Fused>(program, angles);
    return last;
  }
};

CircuitBank::CircuitBank(Circuit circuit, std::span<const std::vector<PauliString>> strings, Encoding encoding)
    : circuit_(std::move(circuit)), strings_(strings.begin(), strings.end()), fast_(std::make_shared<Fast>()) {
  fast_->program = std::make_shared<BankProgram>(circuit_, strings, encoding);
}

Variable CircuitBank::measure(const Variable& angles, const Variable& given, CircuitKernel kernel) const {
  require_values("measure_circuits", angles, given);
  const Shape expected = {size(), circuit_.angles()};
  require(angles.shape() == expected, "a bank of {} circuits of {} angles needs angles of shape {}, not {}", size(),
          circuit_.angles(), expected, angles.shape());
  if (kernel == CircuitKernel::stepwise) return measure_stepwise(angles, given);
  fast_->program->columns(given.shape());
  const Variable rows = fast_->program->encoding == Encoding::amplitude ? of_safe_size(given) : given;
  const bool gradient = is_recording() && (angles.requires_gradient() || rows.requires_gradient());
  if (kernel == CircuitKernel::fused && !gradient) {
    return Variable(fast_->fused(angles.value())->measure(rows.value()));
  }
  return record(
      "measure_circuits", measure_circuits(*fast_->program, fast_->program->bind(angles.value()), rows.value()),
      {angles, rows},
      [bank = fast_->program, va = angles.value(), vr = rows.value()](const Tensor& g, InputGradients& inputs) {
        measure_circuits_backward(*bank, va, vr, g, inputs.wanted(1) ? &inputs.accumulator(1) : nullptr,
                                  inputs.wanted(0) ? &inputs.accumulator(0) : nullptr);
      });
}

Variable CircuitBank::measure_stepwise(const Variable& angles, const Variable& rows) const {
  const Index columns = fast_->program->columns(rows.shape());
  const bool encodes = fast_->program->encoding == Encoding::amplitude;
  const Variable encoded = encodes ? encode_amplitudes(rows, circuit_.wires()) : Variable();
  std::vector<Variable> values;
  for (Index i = 0; i < size(); ++i) {
    const Variable own_angles = reshape(narrow(angles, 0, i, 1), {circuit_.angles()});
    const Variable initial = encodes ? encoded : pad_states(narrow(rows, 1, i * columns, columns), circuit_.wires());
    const Variable states = apply_circuit(circuit_, initial, own_angles);
    values.push_back(expectation_values(states, strings_[i]));
  }
  return concat(values, 1);
}

CircuitBank quadratic_forms(std::span<const std::vector<PauliString>> strings) {
  require(!strings.empty() && !strings[0].empty(), "quadratic forms need at least one Pauli string");
  return CircuitBank(Circuit(strings[0][0].wires()), strings, Encoding::parts);
}

}  // namespace qisa
