// Tensor: a shape and contiguous, row-major storage.
//
// Copying a tensor shares its storage, as do reshape() and part(); every other operation makes a new one.
// Storage comes from the calling thread's pool (fast/pool.hpp). Arithmetic is in elementwise.hpp, matrix
// products are in fast/blas.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "tensor/error.hpp"
#include "tensor/real.hpp"
#include "tensor/shape.hpp"

namespace qisa {

class Tensor {
  struct Storage;

 public:
  /// What the storage of a tensor held at one moment. It does not keep the storage alive.
  class Version {
   public:
    Version() = default;  // of no tensor, which does not change
    explicit Version(const Tensor& tensor);
    /// Whether that may have changed: each call of data(), values() or [] of a tensor that is not const, of fill()
    /// or add() counts as a change of all that shares the storage.
    bool is_outdated() const;

   private:
    std::weak_ptr<const Storage> storage_;
    std::uint64_t changes_ = 0;
  };

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

  bool empty() const { return storage_ == nullptr; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  Index size() const { return empty() ? 0 : shape_.size(); }

  Real* data() {
    if (storage_) storage_->count_change();
    return data_;
  }
  const Real* data() const { return data_; }
  std::span<Real> values() { return {data(), static_cast<std::size_t>(size())}; }
  std::span<const Real> values() const { return {data(), static_cast<std::size_t>(size())}; }
  Real& operator[](Index flat) { return data()[flat]; }
  Real operator[](Index flat) const { return data()[flat]; }
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

  bool shares_storage_with(const Tensor& other) const { return storage_ == other.storage_ && !empty(); }
  /// Whether no other tensor refers to this storage.
  bool is_sole_owner() const { return storage_.use_count() == 1; }

 private:
  struct Storage {
    std::size_t bytes;
    Real* numbers;
    std::atomic<std::uint64_t> changes{0};

    explicit Storage(Index count);
    ~Storage();
    // Threads may write to parts of one tensor; then some changes are counted as one.
    void count_change() { changes.store(changes.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  };

  Shape shape_;
  std::shared_ptr<Storage> storage_;
  Real* data_ = nullptr;  // the first number, within the storage
};

}  // namespace qisa
