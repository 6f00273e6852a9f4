// All trained numbers of a model in one flat buffer; a parameter is a named part of it.
//
// So the optimizer, the gradient's norm, the sum over shards and the checkpoint are each one loop. A
// parameter may carry several names: the query weights of all heads are one matrix to the program,
// and one tensor a head in a checkpoint.
#pragma once

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tensor/random.hpp"
#include "tensor/tensor.hpp"

namespace qisa {

/// How the elements of a parameter start.
struct Initial {
  enum class Kind { constant, uniform, normal } kind = Kind::constant;
  double value = 0;  // the constant; or the bound of uniform(-bound, bound); or the standard deviation

  static Initial constant(double value) { return {Kind::constant, value}; }
  static Initial uniform(double bound) { return {Kind::uniform, bound}; }
  static Initial normal(double deviation) { return {Kind::normal, deviation}; }

  /// A starting value.
  double draw(Random& random) const {
    if (kind == Kind::constant) return value;
    return kind == Kind::uniform ? random.uniform(-value, value) : value * random.normal();
  }
};

/// A part of the flat buffer that a module computes with.
struct Parameter {
  Index offset = 0;
  Shape shape;
};

/// A part of the flat buffer as a checkpoint names it.
struct NamedParameter {
  std::string name;
  Shape shape;
  Index offset = 0;  // filled in by Parameters::add()
};

class Parameters {
 public:
  /// Adds a parameter. Throws when the name is taken.
  Parameter add(const std::string& name, const Shape& shape, Initial initial);
  /// Adds a parameter that consists of named parts, one after the other in memory.
  /// Throws when they do not fill `shape`, or a name is taken.
  Parameter add(const Shape& shape, const std::vector<NamedParameter>& parts, Initial initial);
  /// Allocates the buffer and draws the starting values; call once, after the last add().
  void initialize(std::uint64_t seed);

  /// Number of trained numbers.
  Index size() const { return size_; }
  /// The flat buffer, [size()].
  Tensor& values() { return values_; }
  const Tensor& values() const { return values_; }
  /// Every named part in order of memory.
  const std::vector<NamedParameter>& names() const { return names_; }
  /// The named part of a flat buffer like values(). Throws when there is no such name.
  Tensor part(const Tensor& flat, const std::string& name) const;

 private:
  Index size_ = 0;
  Tensor values_;
  std::vector<NamedParameter> names_;
  std::unordered_set<std::string> taken_;  // the same names, to find duplicates
  std::vector<std::pair<Parameter, Initial>> starts_;
};

}  // namespace qisa
