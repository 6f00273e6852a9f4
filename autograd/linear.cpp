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

/// take(at, c, count, lanes) for all numbers of z = x W^T, those of column c on in lanes: `count` of them, from number
/// `at` on of z. If sums are narrow, z is left as it is; otherwise it is set, and `take` may be left out.
template <class Take>
void times_weight(const Variable& x, const Variable& weight, const Sizes& sizes, Real* z, bool takes, Take take) {
  const auto [rows, in, out] = sizes;
  const Real *from = x.value().data(), *w = weight.value().data();
  if (is_narrow(in, out)) {
    Tensor transposed({in, out});
    Real* to = transposed.data();
    for (Index c = 0; c < out; c += lane_count) rows_to_lanes(w + c * in, in, lane_count, in, to + c, out);
    narrow_product(from, rows, in, to, out,
                   [&](Index i, Index c, const Lanes& sums) { take(i * sizes.out + c, c, AllLanes(), sums); });
    return;
  }
  gemm(false, true, rows, out, in, 1, from, in, w, in, 0, z, out);
  for (Index row = 0; takes && row < rows * out; row += out) {
    for_each_group(out, [&](Index c, auto count) { take(row + c, c, count, load_lanes(z + row + c, count)); });
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
  inputs.add(2, dy);
}

}  // namespace

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  const Sizes sizes = check_linear("linear", x, weight, bias);
  Tensor y(x.shape().with(-1, sizes.out));
  const Real* b = bias.value().data();  // null without a bias
  Real* to = y.data();
  times_weight(x, weight, sizes, to, b != nullptr, [&](Index at, Index c, auto count, const Lanes& z) {
    store_lanes(to + at, b ? z + load_lanes(b + c, count) : z, count);
  });
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
  Real *to = y.data(), *slopes = kept.data();
  const auto take_relu = [&](Index at, Index c, auto count, const Lanes& sums) {
    store_lanes(to + at, relu(sums + load_lanes(b + c, count)), count);
  };
  const auto take_gelu = [&](Index at, Index c, auto count, const Lanes& sums) {
    const Lanes z = sums + load_lanes(b + c, count);
    store_lanes(to + at, gelu(z), count);
    store_lanes(slopes + at, gelu_derivative(z), count);
  };
  f == Activation::relu ? times_weight(x, weight, sizes, slopes, true, take_relu)
                        : times_weight(x, weight, sizes, slopes, true, take_gelu);
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
