#include "autograd/backward.hpp"

#include <algorithm>
#include <unordered_map>

namespace qisa {
namespace {

using Nodes = std::vector<NodePointer, pool::Allocator<NodePointer>>;

/// Every node behind `output`, the deepest first: each comes before all nodes that it depends on.
Nodes reverse_order(const NodePointer& output) {
  Nodes order{output};
  output->visited = true;
  for (std::size_t next = 0; next < order.size(); ++next) {
    const Node& node = *order[next];  // on the heap: stays where it is while `order` grows
    for (const auto& [input, version] : node.inputs) {
      if (input && !input->visited) {
        input->visited = true;
        order.push_back(input);
      }
    }
  }
  for (const NodePointer& node : order) node->visited = false;
  for (const NodePointer& node : order) {
    require(!node->released, "the graph's {} node was freed by an earlier backward()", node->name);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a->depth > b->depth; });
  return order;
}

}  // namespace

void backward(const Variable& output) {
  require(output.value().size() == 1,
          "backward() starts from one number, not from shape {}; sum it first or give a seed", output.shape());
  backward(output, Tensor::full(output.shape(), 1));
}

void backward(const Variable& output, const Tensor& seed) {
  require(output.requires_gradient(), "backward() from a constant: nothing that it depends on wants a gradient");
  require(!seed.empty(), "backward() from shape {} with an empty seed", output.shape());
  require(seed.shape() == output.shape(), "backward() from shape {} with a seed of shape {}", output.shape(),
          seed.shape());
  const Nodes order = reverse_order(output.node());
  for (const NodePointer& node : order) {
    require(
        !node->is_outdated(),
        "backward() through {} of shape {}: a tensor that it read or made was changed since, or opened for writing; "
        "do that after backward(), or with a clone()",
        node->name, node->shape);
  }
  output.node()->add_gradient(seed.clone());
  for (const NodePointer& node : order) {
    if (node->inputs.empty()) continue;  // a leaf keeps its gradient
    InputGradients inputs(*node);
    if (!node->gradient.empty()) node->backward(node->gradient, inputs);
    node->release();
  }
}

std::string to_dot(const Variable& output) {
  require(output.requires_gradient(), "to_dot() of a constant: there is no graph");
  const Nodes order = reverse_order(output.node());
  std::unordered_map<const Node*, std::size_t> ids;
  for (const NodePointer& node : order) ids.emplace(node.get(), ids.size());
  std::string boxes, arrows;
  for (const NodePointer& node : order) {
    boxes += fmt::format("  n{} [label=\"{}\\n{}\"{}];\n", ids[node.get()], node->name, node->shape,
                         node->inputs.empty() ? ", style=filled" : "");
    for (const auto& [input, version] : node->inputs) {
      if (input) arrows += fmt::format("  n{} -> n{};\n", ids[input.get()], ids[node.get()]);
    }
  }
  return "digraph autograd {\n  rankdir=BT;\n  node [shape=box];\n" + boxes + arrows + "}\n";
}

}  // namespace qisa
