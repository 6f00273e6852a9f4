// A mechanism: how an attention layer makes queries, keys and values of its input, and how it
// compares them. Everything after that (mask, normalizer, aggregation, cache) is shared, in
// self_attention.hpp. To add a mechanism, write one file like csa.cpp and add its line to
// mechanisms.def: docs/mechanisms.md shows how.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "autograd/attention.hpp"
#include "nn/pass.hpp"
#include "nn/settings.hpp"
#include "quantum/pauli.hpp"

namespace qisa {

/// Queries, keys and values of every head, one row a token.
struct Projections {
  HeadColumns q, k, v;
};

/// The Pauli strings of one layer, [n_head][head_size]; empty for mechanisms that measure none.
using LayerStrings = std::vector<std::vector<PauliString>>;

/// Projects x [tokens, n_embd], after layer norm, and says how queries and keys are compared: fills in `score`, and
/// `scale`, `key_size` and `dropped` if they are not the defaults. Row t of the projections must depend on row t of x
/// alone, so that keys and values can be cached.
using Mechanism = std::function<Projections(Pass& pass, const Variable& x, AttentionSettings& attention)>;

/// What a layer with attention is built of.
struct LayerContext {
  Parameters& parameters;  // where it adds its own
  std::string name;        // the prefix of their names, "blocks.0.mhsa"
  const ModelSettings& settings;
  const LayerStrings& strings;
};

/// A mechanism's entry in the table.
struct MechanismEntry {
  std::string name;
  bool measures;     // whether it measures Pauli strings
  bool real_states;  // whether on real states, where a string with an odd number of Y is always 0
  Mechanism (*make)(const LayerContext& layer);
};

/// All mechanisms, those of mechanisms.def.
std::span<const MechanismEntry> mechanisms();

/// The entry of that name. Throws and lists the names if there is none.
const MechanismEntry& find_mechanism(const std::string& name);

/// How many of the strings, of any number of layers, are outputs that stay 0 whatever the mechanism
/// `name` learns.
Index dead_outputs(const std::string& name, std::span<const LayerStrings> layers);

}  // namespace qisa
