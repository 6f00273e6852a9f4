// The oracle of the quantum tests: textbook linear algebra on dense matrices, gate matrices typed in
// by hand, operators on several wires as Kronecker products. It shares no code with quantum/.
//
// Wire 0 is the leftmost factor of a Kronecker product.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <initializer_list>
#include <map>
#include <numbers>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/random.hpp"

namespace dense {

using Complex = std::complex<double>;
using Vector = std::vector<Complex>;

/// A square matrix, row-major.
struct Matrix {
  std::size_t size;
  Vector entries;

  explicit Matrix(std::size_t rows) : size(rows), entries(rows * rows) {}
  Matrix(std::size_t rows, std::initializer_list<Complex> values) : size(rows), entries(values) {
    if (entries.size() != rows * rows) throw std::logic_error("dense::Matrix: wrong number of entries");
  }
  Complex& operator()(std::size_t row, std::size_t column) { return entries[row * size + column]; }
  Complex operator()(std::size_t row, std::size_t column) const { return entries[row * size + column]; }
};

inline Matrix identity(std::size_t size) {
  Matrix result(size);
  for (std::size_t i = 0; i < size; ++i) result(i, i) = 1;
  return result;
}

inline void check_sizes(std::size_t a, std::size_t b) {
  if (a != b) throw std::logic_error("dense: sizes " + std::to_string(a) + " and " + std::to_string(b));
}

inline Matrix operator+(Matrix a, const Matrix& b) {
  check_sizes(a.size, b.size);
  for (std::size_t i = 0; i < a.entries.size(); ++i) a.entries[i] += b.entries[i];
  return a;
}

inline Matrix operator*(const Matrix& a, const Matrix& b) {
  check_sizes(a.size, b.size);
  Matrix result(a.size);
  for (std::size_t i = 0; i < a.size; ++i) {
    for (std::size_t j = 0; j < a.size; ++j) {
      for (std::size_t k = 0; k < a.size; ++k) result(i, j) += a(i, k) * b(k, j);
    }
  }
  return result;
}

inline Vector operator*(const Matrix& a, const Vector& x) {
  check_sizes(a.size, x.size());
  Vector result(x.size());
  for (std::size_t i = 0; i < a.size; ++i) {
    for (std::size_t k = 0; k < a.size; ++k) result[i] += a(i, k) * x[k];
  }
  return result;
}

/// Conjugate transpose.
inline Matrix adjoint(const Matrix& a) {
  Matrix result(a.size);
  for (std::size_t i = 0; i < a.size; ++i) {
    for (std::size_t j = 0; j < a.size; ++j) result(j, i) = std::conj(a(i, j));
  }
  return result;
}

/// Kronecker product a x b.
inline Matrix kronecker(const Matrix& a, const Matrix& b) {
  Matrix result(a.size * b.size);
  for (std::size_t i = 0; i < result.size; ++i) {
    for (std::size_t j = 0; j < result.size; ++j) {
      result(i, j) = a(i / b.size, j / b.size) * b(i % b.size, j % b.size);
    }
  }
  return result;
}

/// The largest difference between two entries; infinite when an entry is not a number.
inline double distance(const Vector& a, const Vector& b) {
  check_sizes(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
  }
  return largest;
}
inline double distance(const Matrix& a, const Matrix& b) { return distance(a.entries, b.entries); }

/// <x|y>.
inline Complex inner(const Vector& x, const Vector& y) {
  check_sizes(x.size(), y.size());
  Complex sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::conj(x[i]) * y[i];
  return sum;
}

/// A normalized state of standard normal amplitudes.
inline Vector random_state(qisa::Random& random, int wires) {
  Vector state(std::size_t{1} << wires);
  for (Complex& amplitude : state) {
    const double re = random.normal();
    amplitude = Complex(re, random.normal());
  }
  const double norm = std::sqrt(inner(state, state).real());
  for (Complex& amplitude : state) amplitude /= norm;
  return state;
}

/// The 2x2 matrix of a gate on one wire: I, H, X, Y, Z, S, T, RX, RY or RZ (angle in radians).
inline Matrix one_wire_gate(std::string_view name, double angle = 0) {
  const Complex i(0, 1);
  const double r = 1 / std::sqrt(2.0), c = std::cos(angle / 2), s = std::sin(angle / 2);
  if (name == "I") return {2, {1, 0, 0, 1}};
  if (name == "H") return {2, {r, r, r, -r}};
  if (name == "X") return {2, {0, 1, 1, 0}};
  if (name == "Y") return {2, {0, -i, i, 0}};
  if (name == "Z") return {2, {1, 0, 0, -1}};
  if (name == "S") return {2, {1, 0, 0, i}};
  if (name == "T") return {2, {1, 0, 0, std::polar(1.0, std::numbers::pi / 4)}};
  if (name == "RX") return {2, {c, -i * s, -i * s, c}};
  if (name == "RY") return {2, {c, -s, s, c}};
  if (name == "RZ") return {2, {std::polar(1.0, -angle / 2), 0, 0, std::polar(1.0, angle / 2)}};
  throw std::logic_error("dense: no gate " + std::string(name) + " on one wire");
}

/// The Kronecker product over all wires of `factors`, with I on the wires that have none.
inline Matrix on_wires(int wires, const std::map<int, Matrix>& factors) {
  Matrix result = identity(1);
  for (int wire = 0; wire < wires; ++wire) {
    const auto factor = factors.find(wire);
    result = kronecker(result, factor == factors.end() ? identity(2) : factor->second);
  }
  return result;
}

/// |0><0| x I + |1><1| x u, where the first factor acts on `control` and the second on `target`.
inline Matrix controlled(int wires, int control, int target, const Matrix& u) {
  const Matrix zero(2, {1, 0, 0, 0}), one(2, {0, 0, 0, 1});
  return on_wires(wires, {{control, zero}}) + on_wires(wires, {{control, one}, {target, u}});
}

/// The sum over i, j of |i><j| x |j><i| on wires a and b.
inline Matrix swap(int wires, int a, int b) {
  const Matrix e00(2, {1, 0, 0, 0}), e01(2, {0, 1, 0, 0}), e10(2, {0, 0, 1, 0}), e11(2, {0, 0, 0, 1});
  return on_wires(wires, {{a, e00}, {b, e00}}) + on_wires(wires, {{a, e01}, {b, e10}}) +
         on_wires(wires, {{a, e10}, {b, e01}}) + on_wires(wires, {{a, e11}, {b, e11}});
}

/// Any gate by its textbook name, on all wires: dense::gate(4, "CRX", {control, target}, angle).
inline Matrix gate(int wires, std::string_view name, const std::vector<int>& on, double angle = 0) {
  if (on.size() == 1) return on_wires(wires, {{on[0], one_wire_gate(name, angle)}});
  if (name == "SWAP") return swap(wires, on.at(0), on.at(1));
  if (name == "CNOT") return controlled(wires, on.at(0), on.at(1), one_wire_gate("X"));
  if (name.substr(0, 1) == "C") return controlled(wires, on.at(0), on.at(1), one_wire_gate(name.substr(1), angle));
  throw std::logic_error("dense: no gate " + std::string(name) + " on two wires");
}

/// The left-to-right Kronecker product of I, X, Y, Z.
inline Matrix pauli_string(std::string_view text) {
  Matrix result = identity(1);
  for (const char pauli : text) result = kronecker(result, one_wire_gate(std::string(1, pauli)));
  return result;
}

}  // namespace dense
