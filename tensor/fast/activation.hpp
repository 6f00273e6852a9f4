// Activation functions of a number, which compilers turn into vector code within a loop, or of lanes.
#pragma once

#include "tensor/fast/exponential.hpp"

namespace qisa {

/// max(x, 0).
inline Real relu(Real x) { return x < 0 ? Real(0) : x; }
inline Lanes relu(const Lanes& x) { return larger(Lanes{}, x); }

/// With u = sqrt(2/pi) (x + 0.044715 x^3), GPT-1's form of GELU is x/2 (1 + tanh u) = x s, where
/// s = 1/2 (1 + tanh u) = 1 / (1 + exp(-2u)); its derivative is s + x s (1 - s) 2 du/dx.
/// Inlined, so that both are computed from one gate s.
struct Gelu {
  static constexpr Real a = Real(0.7978845608028654), b = Real(0.044715);  // sqrt(2/pi), and GPT-1's coefficient
  template <class Value>
  [[gnu::always_inline]] static Value gate(const Value x) {
    return Real(1) / (Real(1) + exponential(-2 * a * (x + b * x * x * x)));
  }
};
template <class Value>
[[gnu::always_inline]] inline Value gelu(const Value x) {
  return x * Gelu::gate(x);
}
template <class Value>
[[gnu::always_inline]] inline Value gelu_derivative(const Value x) {
  const Value s = Gelu::gate(x);
  return s + x * s * (Real(1) - s) * Real(2) * Gelu::a * (Real(1) + 3 * Gelu::b * x * x);
}

}  // namespace qisa
