#include "autograd/variable.hpp"

#include <algorithm>

namespace qisa {
namespace {

thread_local bool recording = true;

}  // namespace

void InputGradients::add(std::size_t i, Tensor contribution) {
  if (!wanted(i)) return;
  Node& node = *inputs_[i];
  require(contribution.shape() == node.shape, "gradient of shape {} for the output of {}, which has shape {}",
          contribution.shape(), node.name, node.shape);
  if (node.gradient.empty()) {
    node.gradient = std::move(contribution);
  } else if (node.owns_gradient && contribution.is_sole_owner()) {
    contribution.add(node.gradient);  // in place, though the gradient so far may be shared, as after a sum
    node.gradient = std::move(contribution);
  } else {
    accumulator(i).add(contribution);
  }
}

Tensor& InputGradients::accumulator(std::size_t i) {
  Node& node = *inputs_[i];
  if (node.gradient.empty()) {
    node.gradient = Tensor::zeros(node.shape);
  } else if (node.owns_gradient && !node.gradient.is_sole_owner()) {
    node.gradient = node.gradient.clone();  // shared with another node's gradient, as after reshape
  }
  return node.gradient;
}

Node::~Node() {
  // A long chain of nodes that die together must not recurse: the last owner of a node takes over its
  // inputs before it dies.
  std::vector<NodePointer, pool::Allocator<NodePointer>> dying = std::move(inputs);
  while (!dying.empty()) {
    const NodePointer node = std::move(dying.back());
    dying.pop_back();
    if (node && node.use_count() == 1) {
      for (NodePointer& input : node->inputs) dying.push_back(std::move(input));
      node->inputs.clear();
    }
  }
}

void Node::connect(std::span<const Variable> from, const Tensor& value) {
  inputs.reserve(from.size());
  versions.reserve(from.size() + 1);
  for (const Variable& input : from) {
    inputs.push_back(input.node());
    versions.emplace_back(input.value());
    if (input.node()) depth = std::max(depth, input.node()->depth + 1);
  }
  versions.emplace_back(value);
}

void Node::backward(const Tensor&, InputGradients&) {}

void Node::release() {
  released = true;
  inputs.clear();
  versions.clear();
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
