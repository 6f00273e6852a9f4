#include "nn/parameters.hpp"

#include <algorithm>

namespace qisa {

Parameter Parameters::add(const std::string& name, const Shape& shape, Initial initial) {
  return add(shape, {{name, shape}}, initial);
}

Parameter Parameters::add(const Shape& shape, const std::vector<NamedParameter>& parts, Initial initial) {
  require(values_.empty(), "parameters are added before initialize(), not after");
  const Parameter parameter{size_, shape};
  for (const NamedParameter& part : parts) {
    require(taken_.insert(part.name).second, "parameter {} exists already", part.name);
    names_.push_back({part.name, part.shape, size_});
    size_ += part.shape.size();
  }
  require(size_ - parameter.offset == shape.size(), "the parts of a parameter of shape {} have {} elements", shape,
          size_ - parameter.offset);
  starts_.push_back({parameter, initial});
  return parameter;
}

void Parameters::initialize(std::uint64_t seed) {
  values_ = Tensor({size_});
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    const auto& [parameter, initial] = starts_[i];
    Random random(seed, Purpose::initial_weights, static_cast<std::uint32_t>(i));
    for (Real& value : values_.part(parameter.offset, parameter.shape).values()) {
      value = static_cast<Real>(initial.draw(random));
    }
  }
}

Tensor Parameters::part(const Tensor& flat, const std::string& name) const {
  const auto found = std::find_if(names_.begin(), names_.end(), [&](const auto& part) { return part.name == name; });
  require(found != names_.end(), "the model has no parameter {}", name);
  return flat.part(found->offset, found->shape);
}

}  // namespace qisa
