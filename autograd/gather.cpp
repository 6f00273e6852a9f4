#include <algorithm>
#include <vector>

#include "autograd/operations.hpp"

namespace qisa {

// y[i] = table[indices[i]]; a row's gradient is the sum over the places where it was used.
Variable gather(const Variable& table, std::span<const std::int32_t> indices) {
  require_values("gather", table);
  require(table.value().rank() == 2, "[gather] the table must have two axes, not shape {}", table.shape());
  const Index rows = table.shape()[0], width = table.shape()[1];
  Tensor y({static_cast<Index>(indices.size()), width});
  Real* rows_of_y = y.data();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    require(indices[i] >= 0 && indices[i] < rows, "[gather] index {} at position {} is not within a table of {} rows",
            indices[i], i, rows);
    std::copy_n(table.value().data() + indices[i] * width, width, rows_of_y + i * width);
  }
  return record("gather", std::move(y), {table},
                [used = std::vector<std::int32_t, pool::Allocator<std::int32_t>>(indices.begin(), indices.end()),
                 width](const Tensor& g, InputGradients& inputs) {
                  Real* dtable = inputs.accumulator(0).data();
                  for (std::size_t i = 0; i < used.size(); ++i) {
                    const Real* from = g.data() + i * width;
                    Real* to = dtable + used[i] * width;
#pragma omp simd
                    for (Index j = 0; j < width; ++j) to[j] += from[j];
                  }
                });
}

}  // namespace qisa
