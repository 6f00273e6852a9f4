// Linear layers: y = x W^T + b, and the same with an activation function on it. With x as a matrix [rows, in]:
// dx = dy W, dW = dy^T x, db = sum of the rows of dy.
#include "autograd/operations.hpp"
#include "tensor/elementwise.hpp"
#include "tensor/fast/activation.hpp"
#include "tensor/fast/blas.hpp"
#include "tensor/fast/lane_transpose.hpp"
#include "tensor/fast/narrow_product.hpp"

namespace qisa {
namespace {

/// The sizes of x [rows, in] and W [out, in].
struct Sizes {
  Index rows, in, out;
};

Sizes check_linear(const char* operation, const Variable& x, const Variable& weight, const Variable& bias) {
  require_values(operation, x, weight);
  require(weight.value().rank() == 2 && x.value().rank() >= 1 && x.shape()[-1] == weight.shape()[1],
          "[{}] x {} and weight {}: the last size of x must be the second of weight", operation, x.shape(),
          weight.shape());
  const Index out = weight.shape()[0];
  require(bias.value().empty() || bias.shape() == Shape{out}, "[{}] weight {} needs a bias of shape [{}], not {}",
          operation, weight.shape(), out, bias.shape());
  return {x.shape().with(-1, 1).size(), weight.shape()[1], out};
}

/// x W^T on top of what y holds already, times `beta`.
void times_weight(const Variable& x, const Variable& weight, const Sizes& sizes, Real beta, Real* y) {
  const auto [rows, in, out] = sizes;
  gemm(false, true, rows, out, in, 1, x.value().data(), in, weight.value().data(), in, beta, y, out);
}

/// store(i, c, columns c to c + 15 of row i of x W^T), for narrow products.
template <class Store>
void narrow_linear(const Variable& x, const Variable& weight, const Sizes& sizes, Store store) {
  const auto [rows, in, out] = sizes;
  Tensor transposed({in, out});
  Real* to = transposed.data();
  for (Index c = 0; c < out; c += lane_count) {
    rows_to_lanes(weight.value().data() + c * in, in, lane_count, in, to + c, out);
  }
  narrow_product(x.value().data(), rows, in, to, out, store);
}

/// Every row of a matrix [rows, width] becomes `row`. Rows are often too short for the library's copy to pay.
void fill_rows(Real* matrix, Index rows, Index width, const Real* row) {
  for (Real* to = matrix; to < matrix + rows * width; to += width) {
    for_each_group(width, [&](auto at) { at(to) = at(row); });
  }
}

/// y = f(z) for z = `kept` + b. `kept` becomes f'(z); for relu it is y.
void activate(Real* kept, const Real* b, const Sizes& sizes, Activation f, Real* y) {
  for (Index row = 0; row < sizes.rows; ++row) {
    Real *sums = kept + row * sizes.out, *result = y + row * sizes.out;
    if (f == Activation::relu) {
#pragma omp simd
      for (Index i = 0; i < sizes.out; ++i) result[i] = relu(sums[i] + b[i]);
    } else {
#pragma omp simd
      for (Index i = 0; i < sizes.out; ++i) {
        const Real z = sums[i] + b[i];
        result[i] = gelu(z);
        sums[i] = gelu_derivative(z);
      }
    }
  }
}

void product_backward(const Tensor& x, const Tensor& weight, const Tensor& dy, const Sizes& sizes,
                      InputGradients& inputs) {
  const auto [rows, in, out] = sizes;
  if (inputs.wanted(0)) {
    Tensor dx(x.shape());
    Real* to = dx.data();
    if (is_narrow(out, in)) {
      narrow_product(dy.data(), rows, out, weight.data(), in,
                     [&](Index i, Index c, const Lanes& sums) { lanes(to + i * sizes.in + c) = sums; });
    } else {
      gemm(false, false, rows, in, out, 1, dy.data(), out, weight.data(), in, 0, to, in);
    }
    inputs.add(0, std::move(dx));
  }
  if (inputs.wanted(1)) {
    Tensor& dw = inputs.accumulator(1);
    gemm(true, false, out, in, rows, 1, dy.data(), out, x.data(), in, 1, dw.data(), in);
  }
  if (inputs.wanted(2)) inputs.add(2, sum_to(dy, {out}));
}

}  // namespace

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  const Sizes sizes = check_linear("linear", x, weight, bias);
  Tensor y(x.shape().with(-1, sizes.out));
  const Real* b = bias.value().data();  // null without a bias
  Real* to = y.data();
  if (is_narrow(sizes.in, sizes.out)) {
    narrow_linear(x, weight, sizes, [&](Index i, Index c, const Lanes& sums) {
      lanes(to + i * sizes.out + c) = b ? sums + lanes(b + c) : sums;
    });
  } else {
    if (b) fill_rows(to, sizes.rows, sizes.out, b);
    times_weight(x, weight, sizes, b ? 1 : 0, to);
  }
  return record("linear", std::move(y), {x, weight, bias},
                [vx = x.value(), w = weight.value(), sizes](const Tensor& g, InputGradients& inputs) {
                  product_backward(vx, w, g, sizes, inputs);
                });
}

// y = f(z), z = x W^T + b: dz = dy f'(z). f'(z) is kept, which costs gelu little beside f(z); for relu y, whose sign
// tells it.
Variable activated_linear(const Variable& x, const Variable& weight, const Variable& bias, Activation f) {
  const Sizes sizes = check_linear("activated_linear", x, weight, bias);
  require(!bias.value().empty(), "[activated_linear] weight {} needs a bias", weight.shape());
  Tensor y(x.shape().with(-1, sizes.out));
  Tensor kept = f == Activation::relu ? y : Tensor(y.shape());
  const Real* b = bias.value().data();
  Real *to = y.data(), *z = kept.data();
  if (f == Activation::relu && is_narrow(sizes.in, sizes.out)) {
    narrow_linear(x, weight, sizes, [&](Index i, Index c, const Lanes& sums) {
      lanes(to + i * sizes.out + c) = larger(Lanes{}, sums + lanes(b + c));
    });
  } else {
    times_weight(x, weight, sizes, 0, z);
    activate(z, b, sizes, f, to);
  }
  return record("activated_linear", std::move(y), {x, weight, bias},
                [vx = x.value(), w = weight.value(), kept, sizes, f](const Tensor& g, InputGradients& inputs) {
                  const Tensor dz =
                      f == Activation::relu
                          ? zip_elements("activated_linear", g, kept,
                                         [](Real d, Real v) { return v > 0 ? d : Real(0); })
                          : zip_elements("activated_linear", g, kept, [](Real d, Real slope) { return d * slope; });
                  product_backward(vx, w, dz, sizes, inputs);
                });
}

}  // namespace qisa
