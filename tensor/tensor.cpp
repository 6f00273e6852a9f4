#include "tensor/tensor.hpp"

#include <algorithm>
#include <vector>

#include "tensor/fast/pool.hpp"

namespace qisa {

Tensor::Storage::Storage(Index count)
    : bytes(static_cast<std::size_t>(count) * sizeof(Real)), numbers(static_cast<Real*>(pool::allocate(bytes))) {}

Tensor::Storage::~Storage() { pool::release(numbers, bytes); }

Tensor::Version::Version(const Tensor& tensor)
    : storage_(tensor.storage_), changes_(tensor.empty() ? 0 : tensor.storage_->changes.load()) {}

bool Tensor::Version::is_outdated() const {
  const auto storage = storage_.lock();
  return storage && storage->changes.load() != changes_;
}

Tensor::Tensor(const Shape& shape)
    : shape_(shape),
      storage_(std::allocate_shared<Storage>(pool::Allocator<Storage>(), shape.size())),
      data_(storage_->numbers) {}

Tensor::Tensor(const Shape& shape, std::span<const Real> values) : Tensor(shape) {
  require(static_cast<Index>(values.size()) == shape.size(), "a tensor of shape {} needs {} values, not {}", shape,
          shape.size(), values.size());
  std::copy(values.begin(), values.end(), data());
}

Tensor Tensor::full(const Shape& shape, Real value) {
  Tensor result(shape);
  result.fill(value);
  return result;
}

Real Tensor::item() const {
  require(size() == 1, "item() needs a tensor with one element, not shape {}", shape_);
  return data()[0];
}

Tensor Tensor::reshape(std::initializer_list<Index> sizes) const {
  Index known = 1;
  for (const Index size : sizes) known *= size == -1 ? 1 : size;
  std::vector<Index> filled(sizes);
  for (Index& filled_size : filled) {
    if (filled_size != -1) continue;
    require(known != 0 && size() % known == 0, "cannot reshape {} to a multiple of {} elements", shape_, known);
    filled_size = size() / known;
  }
  return reshape(Shape(std::span<const Index>(filled)));
}

Tensor Tensor::reshape(const Shape& shape) const {
  require(shape.size() == size(), "cannot reshape {} ({} elements) to {} ({} elements)", shape_, size(), shape,
          shape.size());
  Tensor result = *this;
  result.shape_ = shape;
  return result;
}

Tensor Tensor::part(Index first, const Shape& shape) const {
  require(first >= 0 && first + shape.size() <= size(), "elements {} to {} are not within a tensor of {} elements",
          first, first + shape.size(), size());
  Tensor result = *this;
  result.shape_ = shape;
  result.data_ += first;
  return result;
}

Tensor Tensor::clone() const { return empty() ? Tensor() : Tensor(shape_, values()); }

void Tensor::fill(Real value) { std::fill_n(data(), size(), value); }

void Tensor::add(const Tensor& other) {
  require(shape_ == other.shape_, "cannot add a tensor of shape {} to one of shape {}", other.shape_, shape_);
  Real* to = data();
  const Real* from = other.data();
  const Index count = size();
#pragma omp simd
  for (Index i = 0; i < count; ++i) to[i] += from[i];
}

}  // namespace qisa
