#include "nn/pass.hpp"

#include "autograd/operations.hpp"

namespace qisa {

Variable Pass::operator()(const Parameter& parameter) const {
  Tensor value = parameters_->values().part(parameter.offset, parameter.shape);
  if (gradients_.empty()) return Variable(std::move(value));
  return Variable::leaf(std::move(value), gradients_.part(parameter.offset, parameter.shape));
}

Variable Pass::add_dropout(const Variable& a, const Variable& b) { return qisa::add_dropout(a, b, dropped_, stream_); }

}  // namespace qisa
