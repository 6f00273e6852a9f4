// The activation functions that layers choose from; computed in fast/activation.hpp.
#pragma once

namespace qisa {

enum class Activation { relu, gelu };

}  // namespace qisa
