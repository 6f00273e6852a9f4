// The version of the library, which the build reads here.
#pragma once

#include <string_view>

namespace qisa {

/// Semantic: programs built against 1.2.0 also build against later ones that begin with 1.
inline constexpr std::string_view version = "1.0.0";

}  // namespace qisa
