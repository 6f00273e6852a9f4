#include "nn/pass.hpp"

#include "autograd/operations.hpp"

namespace qisa {

Variable Pass::operator()(const Parameter& parameter) const {
  Tensor value = parameters_->values().part(parameter.offset, parameter.shape);
  if (gradients_.empty()) return Variable(std::move(value));
  return Variable::leaf(std::move(value), gradients_.part(parameter.offset, parameter.shape));
}

Variable Pass::add_dropout(const Variable& a, const Variable& b) { return qisa::add_dropout(a, b, dropped_, stream_); }

const Fused& Pass::fused(const CircuitBank& bank, const Parameter& angles) {
  auto& entry = fused_[angles.offset];
  if (!entry) entry = std::make_unique<Fused>(bank.program(), (*this)(angles).value(), bank.observables());
  return *entry;
}

}  // namespace qisa
