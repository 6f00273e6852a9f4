// The differentiable operations: one function each, with its backward directly under its forward.
//
// All take and return Variables and throw Error when shapes do not fit. Where to find them:
// arithmetic.cpp, reduction.cpp, matmul.cpp, linear.cpp, reshaping.cpp, gather.cpp, softmax.cpp,
// layer_norm.cpp, dropout.cpp. Attention is in attention.hpp.
#pragma once

#include <cstdint>
#include <span>

#include "autograd/variable.hpp"
#include "tensor/activation.hpp"
#include "tensor/dropout_stream.hpp"

namespace qisa {

// Elementwise, with NumPy's broadcasting.
Variable add(const Variable& a, const Variable& b);
Variable subtract(const Variable& a, const Variable& b);
Variable multiply(const Variable& a, const Variable& b);
Variable divide(const Variable& a, const Variable& b);
inline Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
inline Variable operator-(const Variable& a, const Variable& b) { return subtract(a, b); }
inline Variable operator*(const Variable& a, const Variable& b) { return multiply(a, b); }
inline Variable operator/(const Variable& a, const Variable& b) { return divide(a, b); }

// Elementwise, of one argument.
Variable scale(const Variable& x, Real factor);
inline Variable operator-(const Variable& x) { return scale(x, -1); }
Variable exp(const Variable& x);
Variable log(const Variable& x);
Variable sqrt(const Variable& x);
Variable sin(const Variable& x);
Variable cos(const Variable& x);
Variable tanh(const Variable& x);

/// max(x, 0); the gradient at 0 is 0.
Variable relu(const Variable& x);
/// Gaussian error linear unit in GPT-1's form: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
Variable gelu(const Variable& x);

/// Sum of all elements: shape [].
Variable sum(const Variable& x);
/// Sum over one axis, which is dropped.
Variable sum(const Variable& x, int axis);
/// Mean of all elements: shape []. Throws when there are none.
Variable mean(const Variable& x);
/// Mean over one axis, which is dropped. Throws when it has size 0.
Variable mean(const Variable& x, int axis);

/// Matrix product of the last two axes, [..., m, k] x [..., k, n] -> [..., m, n]; the axes before
/// them broadcast.
Variable matmul(const Variable& a, const Variable& b);
/// x W^T + b: x [..., in], weight [out, in], bias [out] or an empty Variable -> [..., out].
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});
/// f(x W^T + b) in fewer passes over memory than relu(linear()) or gelu(linear()).
Variable activated_linear(const Variable& x, const Variable& weight, const Variable& bias, Activation f);

/// The same elements in another shape; one size may be -1.
Variable reshape(const Variable& x, std::initializer_list<Index> sizes);
/// Two axes exchanged.
Variable transpose(const Variable& x, int axis_a, int axis_b);
/// Indices first … first+count-1 of one axis.
Variable narrow(const Variable& x, int axis, Index first, Index count);
/// One after the other along one axis; the other axes must agree. At least one.
Variable concat(std::span<const Variable> parts, int axis);

/// Rows of a table: table [rows, width], indices [n] -> [n, width]. Throws on an index out of range.
Variable gather(const Variable& table, std::span<const std::int32_t> indices);

/// exp(x) / sum exp(x) over the last axis.
Variable softmax(const Variable& x);
/// Mean of -log softmax(logits)[target] over the rows, in nats: logits [n, classes], targets [n] -> [].
/// Throws on a target out of range or n = 0.
Variable cross_entropy(const Variable& logits, std::span<const std::int32_t> targets);

/// (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis, variance biased:
/// x [..., width], weight [width], bias [width]. (Ba, Kiros, Hinton: arXiv 1607.06450)
Variable layer_norm(const Variable& x, const Variable& weight, const Variable& bias, Real epsilon = Real(1e-5));

/// x times a random mask from `stream`: 0 with probability `dropped`, otherwise 1 / (1 - dropped).
/// (Srivastava et al. 2014.) Returns x itself when dropped is 0. Throws unless 0 <= dropped < 1.
Variable dropout(const Variable& x, Real dropped, DropoutStream& stream);
/// a + dropout(b), of one shape, in one pass: a residual sum.
Variable add_dropout(const Variable& a, const Variable& b, Real dropped, DropoutStream& stream);

}  // namespace qisa
