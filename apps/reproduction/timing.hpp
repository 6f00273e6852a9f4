// How long inference takes: what Figure 1 of the paper shows.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nn/training/workers.hpp"

namespace qisa {

/// Sequences in the batch that is timed; each has 16 characters.
constexpr Index timed_batch = 128;

/// The time of one batch through a model of 6 layers and 1 head.
struct Timing {
  std::string kind;  // mechanism, and what runs its circuits: "qisa-v3 stepwise"
  Index n_embd;
  double milliseconds;  // median
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Timing, kind, n_embd, milliseconds)

/// Times classical attention, qisa, and qisa-v1 to v3 with their kernels. At each width they take turns, a batch each,
/// for `seconds` and for 31 rounds at least: what else the machine does then strikes all alike.
std::vector<Timing> time_inference(const std::vector<Index>& widths, double seconds, Workers& workers);

}  // namespace qisa
