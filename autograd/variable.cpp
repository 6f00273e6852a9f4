#include "autograd/variable.hpp"

#include <algorithm>
#include <iterator>

#include "tensor/elementwise.hpp"

namespace qisa {
namespace {

thread_local bool recording = true;

}  // namespace

Node::~Node() {
  // A long chain of nodes that die together must not recurse: the last owner of a node takes over its
  // inputs before it dies.
  auto dying = std::move(inputs);
  while (!dying.empty()) {
    const NodePointer node = std::move(dying.back().node);
    dying.pop_back();
    if (node && node.use_count() == 1) {
      std::move(node->inputs.begin(), node->inputs.end(), std::back_inserter(dying));
      node->inputs.clear();
    }
  }
}

void Node::connect(std::span<const Variable> from, const Tensor& value) {
  inputs.reserve(from.size());
  for (const Variable& input : from) {
    const bool is_output = input.node() && input.node()->depth > 0;
    inputs.push_back({input.node(), is_output ? Tensor::Version() : Tensor::Version(input.value())});
    if (input.node()) depth = std::max(depth, input.node()->depth + 1);
  }
  version = Tensor::Version(value);
}

bool Node::is_outdated() const {
  return version.is_outdated() ||
         std::any_of(inputs.begin(), inputs.end(), [](const Input& input) { return input.version.is_outdated(); });
}

void Node::add_gradient(Tensor contribution) {
  if (contribution.shape() != shape) {
    require(broadcasts_to(shape, contribution.shape()), "gradient of shape {} for the output of {}, which has shape {}",
            contribution.shape(), name, shape);
    contribution = sum_to(contribution, shape);
  }
  if (gradient.empty()) {
    gradient = std::move(contribution);
  } else if (owns_gradient && contribution.is_sole_owner()) {
    contribution.add(gradient);  // in place, though the gradient so far may be shared, as after a sum
    gradient = std::move(contribution);
  } else {
    accumulator().add(contribution);
  }
}

Tensor& Node::accumulator() {
  if (gradient.empty()) {
    gradient = Tensor::zeros(shape);
  } else if (owns_gradient && !gradient.is_sole_owner()) {
    gradient = gradient.clone();  // shared with another node's gradient, as after reshape
  }
  return gradient;
}

void Node::backward(const Tensor&, InputGradients&) {}

void Node::release() {
  released = true;
  inputs.clear();
  version = {};
  if (owns_gradient) gradient = Tensor();
}

Variable Variable::leaf(Tensor value) {
  require(!value.empty(), "a leaf needs a value, not an empty Tensor");
  auto node = std::allocate_shared<Node>(pool::Allocator<Node>(), "leaf", value.shape());
  return Variable(std::move(value), std::move(node));
}

Variable Variable::leaf(Tensor value, Tensor gradient) {
  require(value.shape() == gradient.shape(), "a leaf of shape {} cannot have a gradient of shape {}", value.shape(),
          gradient.shape());
  Variable variable = leaf(std::move(value));
  variable.node_->gradient = std::move(gradient);
  variable.node_->owns_gradient = false;
  return variable;
}

Tensor Variable::gradient() const {
  require(requires_gradient(), "a constant has no gradient");
  return node_->gradient.empty() ? Tensor::zeros(shape()) : node_->gradient;
}

bool is_recording() { return recording; }

NoGradient::NoGradient() : before_(std::exchange(recording, false)) {}
NoGradient::~NoGradient() { recording = before_; }

}  // namespace qisa
