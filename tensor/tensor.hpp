// Tensor: a shape and contiguous, row-major storage.
//
// Copying a tensor shares its storage, as does reshape(); every other operation makes a new one.
// Storage comes from the calling thread's pool (pool.hpp). Arithmetic is in elementwise.hpp,
// reduce.hpp and blas.hpp.
#pragma once

#include <memory>
#include <span>

#include "tensor/error.hpp"
#include "tensor/real.hpp"
#include "tensor/shape.hpp"

namespace qisa {

class Tensor {
 public:
  /// No tensor at all: empty() holds, and there is no storage.
  Tensor() = default;
  /// Storage for `shape`, not initialised.
  explicit Tensor(const Shape& shape);
  /// `values` in row-major order. Throws when their number is not shape.size().
  Tensor(const Shape& shape, std::span<const Real> values);
  Tensor(const Shape& shape, std::initializer_list<Real> values)
      : Tensor(shape, std::span(values.begin(), values.size())) {}

  static Tensor full(const Shape& shape, Real value);
  static Tensor zeros(const Shape& shape) { return full(shape, 0); }
  static Tensor scalar(Real value) { return full({}, value); }

  bool empty() const { return data_ == nullptr; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  Index size() const { return empty() ? 0 : shape_.size(); }

  Real* data() { return data_.get(); }
  const Real* data() const { return data_.get(); }
  std::span<Real> values() { return {data(), static_cast<std::size_t>(size())}; }
  std::span<const Real> values() const { return {data(), static_cast<std::size_t>(size())}; }
  Real& operator[](Index flat) { return data_.get()[flat]; }
  Real operator[](Index flat) const { return data_.get()[flat]; }
  /// The only element. Throws when there is not exactly one.
  Real item() const;

  /// The same storage in another shape; one size may be -1 and follows from the others.
  /// Throws when the number of elements differs.
  Tensor reshape(std::initializer_list<Index> sizes) const;
  Tensor reshape(const Shape& shape) const;
  /// shape.size() elements of the same storage, beginning with element `first`.
  Tensor part(Index first, const Shape& shape) const;
  /// A copy with storage of its own.
  Tensor clone() const;

  void fill(Real value);
  /// Adds `other`, of the same shape, in place.
  void add(const Tensor& other);

  bool shares_storage_with(const Tensor& other) const { return data_ == other.data_ && !empty(); }
  /// Whether no other tensor refers to this storage.
  bool is_sole_owner() const { return data_.use_count() == 1; }

 private:
  Shape shape_;
  std::shared_ptr<Real> data_;
};

}  // namespace qisa
