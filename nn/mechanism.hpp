// A mechanism: how an attention layer makes queries, keys and values of its input, and how it
// compares them. Everything after that (mask, normalizer, aggregation, cache) is shared, in
// self_attention.hpp. To add a mechanism, write one file like csa.cpp and add a line to the table in
// mechanism.cpp.
#pragma once

#include <memory>
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

class Mechanism {
 public:
  virtual ~Mechanism() = default;
  /// x [tokens, n_embd], after layer norm.
  virtual Projections project(Pass& pass, const Variable& x) const = 0;
  /// How queries and keys are compared; fills in `score`, `scale` and `dropped`.
  virtual void set_score(AttentionSettings& settings, const Pass& pass) const = 0;
};

/// A mechanism's entry in the table.
struct MechanismEntry {
  std::string name;
  bool measures;  // whether it measures Pauli strings
  /// Builds the mechanism of one layer; `name` is the prefix of its parameters, "blocks.0.mhsa".
  std::unique_ptr<Mechanism> (*make)(Parameters& parameters, const std::string& name, const ModelSettings& settings,
                                     const LayerStrings& strings);
};

/// All mechanisms.
std::span<const MechanismEntry> mechanisms();

/// The entry of that name. Throws and lists the names if there is none.
const MechanismEntry& find_mechanism(const std::string& name);

// The builders, each in the file of its name.
std::unique_ptr<Mechanism> make_csa(Parameters&, const std::string&, const ModelSettings&, const LayerStrings&);
std::unique_ptr<Mechanism> make_qisa_v3(Parameters&, const std::string&, const ModelSettings&, const LayerStrings&);

}  // namespace qisa
