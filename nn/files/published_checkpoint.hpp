// Checkpoints of the paper's published PyTorch code: a state_dict that the package safetensors has saved.
//
// Such a file holds weights alone. What a model is made of shows in their names and shapes; what does not show,
// the user adds as metadata when saving:
//
//   safetensors.torch.save_file(model.state_dict(), path, metadata={
//       "vocabulary": "".join(characters),             # in the order of their tokens
//       "pauli_strings": json.dumps(strings),          # [layer][head][m]; not for csa
//       "mechanism": "qisa-v1"})                       # only for qisa-v1 and qisa-v2, which have equal names
//
// "normalizer" and "aggregation" may be added too. Otherwise the model computes what the published code
// does: softmax and transposed, or for csa, whose attention is not transposed there, causal.
#pragma once

#include <map>
#include <string>

#include "tensor/files/safetensors.hpp"

namespace qisa {

/// The metadata of such a file with all that load_checkpoint() reads: "settings", "pauli_strings" and
/// "vocabulary". `name` is the file's in errors. Throws when the tensors are not of that code, or metadata
/// is missing that they need, and says how to add it.
std::map<std::string, std::string> published_metadata(const SafetensorsFile& file, const std::string& name);

}  // namespace qisa
