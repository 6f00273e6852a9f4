#include "apps/shared/model_facts.hpp"

#include <fmt/format.h>

#include "apps/shared/numbers.hpp"

namespace qisa {

Index parameters_a_head(const GPT& model) {
  Index count = 0;
  for (const NamedParameter& part : model.parameters().names()) {
    if (part.name.starts_with("blocks.0.mhsa.heads.0.")) count += part.shape.size();
  }
  return count;
}

std::string verdict(const CausalityAudit& audit) {
  if (audit.causal()) {
    return fmt::format("causal: no logit before a changed character moved ({} changes tried)", audit.changes);
  }
  return fmt::format("reads the future: changing character {} moved the logits of {}, by up to {:.2g}",
                     audit.position + 1, counted(audit.moved_positions, "earlier position"), audit.largest_move);
}

}  // namespace qisa
