// Pass: what one forward pass needs besides its input. Modules are immutable and shared by all
// threads; a pass belongs to one thread.
//
// It hands out parameters as variables, with gradients that add into a flat buffer of the pass's own
// when training; it holds the random numbers of dropout; and it says which kernel runs circuits.
#pragma once

#include "autograd/variable.hpp"
#include "nn/parameters.hpp"
#include "quantum/circuit_bank.hpp"
#include "tensor/dropout_stream.hpp"

namespace qisa {

class Pass {
 public:
  /// A pass without gradients and dropout. It may serve any number of inputs.
  explicit Pass(const Parameters& parameters, CircuitKernel kernel = CircuitKernel::fused)
      : parameters_(&parameters), kernel_(kernel) {}

  /// A pass for one shard of a training step: gradients are added to `gradients`, a flat buffer of
  /// parameters.size() numbers, and dropout drops with probability `dropped`.
  Pass(const Parameters& parameters, Tensor gradients, Real dropped, DropoutStream stream,
       CircuitKernel kernel = CircuitKernel::adjoint)
      : parameters_(&parameters),
        gradients_(std::move(gradients)),
        dropped_(dropped),
        stream_(stream),
        kernel_(kernel) {}

  /// The parameter as a variable: its value is a view of the flat buffer.
  Variable operator()(const Parameter& parameter) const {
    Tensor value = parameters_->values().part(parameter.offset, parameter.shape);
    if (gradients_.empty()) return Variable(std::move(value));
    return Variable::leaf(std::move(value), gradients_.part(parameter.offset, parameter.shape));
  }

  /// Dropout probability: 0 outside training.
  Real dropped() const { return dropped_; }
  DropoutStream& stream() { return stream_; }

  CircuitKernel kernel() const { return kernel_; }

 private:
  const Parameters* parameters_;
  Tensor gradients_;
  Real dropped_ = 0;
  DropoutStream stream_;
  CircuitKernel kernel_;
};

}  // namespace qisa
