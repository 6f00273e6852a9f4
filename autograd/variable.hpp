// Variable: a tensor that remembers how it was computed. Node: one step of that memory.
//
// An operation computes its value at once and, unless gradients are off, makes a Node of the graph: which
// nodes its inputs came from, and a function that turns the gradient of its output into gradients of its
// inputs. backward() (backward.hpp) walks from the output's node back to the leaves. A Variable without a
// node is a constant. The operations are in the other headers of this folder; add in arithmetic.cpp is a
// good first one to read.
//
// Until backward() has walked a graph, the tensors that its operations read and made must not change.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "tensor/fast/pool.hpp"
#include "tensor/tensor.hpp"

namespace qisa {

class Variable;
class InputGradients;
struct Node;
using NodePointer = std::shared_ptr<Node>;

/// One operation of a graph, or a leaf of it.
struct Node {
  struct Input {
    NodePointer node;         // null if it is constant
    Tensor::Version version;  // of its value, unless that is the output of an operation, whose node knows it
  };

  const char* name;                                   // of the operation, for errors and drawings
  Shape shape;                                        // of the output
  std::uint64_t depth = 0;                            // one more than that of the deepest input; 0 for a leaf
  std::vector<Input, pool::Allocator<Input>> inputs;  // none for a leaf
  Tensor::Version version;                            // of the output
  Tensor gradient;                                    // of the output: the sum of the contributions so far
  bool owns_gradient = true;                          // false: `gradient` is memory that the caller gave, to add into
  bool visited = false;                               // by the walk that is going on
  bool released = false;                              // backward() has used this node

  Node(const char* operation, const Shape& output) : name(operation), shape(output) {}
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Puts the node behind those of the inputs.
  void connect(std::span<const Variable> from, const Tensor& value);
  /// Whether a tensor that the operation read or made has changed since.
  bool is_outdated() const;
  /// Adds to the gradient a tensor of the output's shape, or of one that the output was broadcast to.
  void add_gradient(Tensor contribution);
  /// The gradient, zero if there was none, to add into in place.
  Tensor& accumulator();
  /// Turns the output's gradient into the inputs' gradients. Leaves have none to compute.
  virtual void backward(const Tensor& gradient, InputGradients& inputs);
  /// Frees what backward() needed.
  virtual void release();
};

/// Where an operation's backward function leaves the gradients of its inputs, by position.
class InputGradients {
 public:
  explicit InputGradients(const Node& node) : inputs_(node.inputs) {}

  /// Whether input i needs a gradient; if not, computing one is wasted.
  bool wanted(std::size_t i) const { return inputs_[i].node != nullptr; }
  /// Adds `contribution` to the gradient of input i (if it is wanted): of the input's shape, or of one that the input
  /// was broadcast to; then it is summed.
  void add(std::size_t i, Tensor contribution) {
    if (wanted(i)) inputs_[i].node->add_gradient(std::move(contribution));
  }
  /// The gradient so far of input i, zero if there was none, for the caller to add into in place.
  Tensor& accumulator(std::size_t i) { return inputs_[i].node->accumulator(); }

 private:
  std::span<const Node::Input> inputs_;
};

class Variable {
 public:
  Variable() = default;
  /// A constant.
  explicit Variable(Tensor value) : value_(std::move(value)) {}
  Variable(Tensor value, NodePointer node) : value_(std::move(value)), node_(std::move(node)) {}

  /// A variable whose gradient is wanted.
  static Variable leaf(Tensor value);
  /// A variable whose gradient is added to `gradient`, of the same shape, in place.
  static Variable leaf(Tensor value, Tensor gradient);

  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  const NodePointer& node() const { return node_; }
  bool requires_gradient() const { return node_ != nullptr; }
  /// The gradient that backward() found for a leaf; zeros if nothing depended on it. (That of other
  /// variables is freed on the way.) It may share storage with another gradient: read it, do not
  /// change it. Throws for a constant.
  Tensor gradient() const;

 private:
  Tensor value_;
  NodePointer node_;
};

/// Whether operations are recorded on this thread.
bool is_recording();

/// While it lives, operations on this thread are not recorded: for inference.
class NoGradient {
 public:
  NoGradient();
  ~NoGradient();
  NoGradient(const NoGradient&) = delete;
  NoGradient& operator=(const NoGradient&) = delete;

 private:
  bool before_;
};

/// Throws, in the name of an operation, when one of its inputs is an empty Variable.
template <std::same_as<Variable>... Inputs>
void require_values(const char* operation, const Inputs&... inputs) {
  (require(!inputs.value().empty(), "[{}] an input is an empty Variable, which has no value", operation), ...);
}

/// A node with the backward function of one operation and all that it captured.
template <class Backward>
struct OperationNode final : Node {
  std::optional<Backward> function;

  OperationNode(const char* operation, const Shape& output, Backward backward_function)
      : Node(operation, output), function(std::move(backward_function)) {}
  void backward(const Tensor& output_gradient, InputGradients& input_gradients) override {
    (*function)(output_gradient, input_gradients);
  }
  void release() override {
    function.reset();
    Node::release();
  }
};

/// The result of an operation: `value`, and in its node `backward`, a function of (const Tensor& gradient
/// of the output, InputGradients&). Nothing is recorded when gradients are off or no input
/// needs one. `backward` captures tensors that it needs, never its own output variable.
template <class Backward>
Variable record(const char* operation, Tensor value, std::span<const Variable> inputs, Backward backward) {
  bool wanted = false;
  for (const Variable& input : inputs) wanted = wanted || input.requires_gradient();
  if (!wanted || !is_recording()) return Variable(std::move(value));
  auto node = std::allocate_shared<OperationNode<Backward>>(pool::Allocator<Node>(), operation, value.shape(),
                                                            std::move(backward));
  node->connect(inputs, value);
  return Variable(std::move(value), std::move(node));
}

template <class Backward>
Variable record(const char* operation, Tensor value, std::initializer_list<Variable> inputs, Backward backward) {
  return record(operation, std::move(value), std::span(inputs.begin(), inputs.size()), std::move(backward));
}

}  // namespace qisa
