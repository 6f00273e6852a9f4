// The reverse pass: from an output back to every variable that it depends on.
#pragma once

#include <string>

#include "autograd/variable.hpp"

namespace qisa {

/// Computes d(output)/d(leaf) for every leaf that `output`, a single number, depends on, and adds it
/// to the leaf's gradient. The graph is freed on the way, so this works once for each graph.
/// Throws, before it adds anything, when the output has more than one element, is a constant or was used before, or
/// when a tensor that an operation of the graph read or made has been changed since.
void backward(const Variable& output);

/// The same for an output of any shape: `seed`, of that shape, is the gradient of the output. It is copied.
void backward(const Variable& output, const Tensor& seed);

/// The graph behind `output` in the DOT language of Graphviz: a box an operation with the shape of its
/// output, arrows along the flow of values. `dot -Tsvg` draws it.
std::string to_dot(const Variable& output);

}  // namespace qisa
