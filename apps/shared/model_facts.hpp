// What reports say of a model beside its losses.
#pragma once

#include <string>

#include "nn/training/audit.hpp"

namespace qisa {

/// Trained numbers that belong to one attention head.
Index parameters_a_head(const GPT& model);

/// What an audit found, in one line for a person, who counts positions from 1.
std::string verdict(const CausalityAudit& audit);

}  // namespace qisa
