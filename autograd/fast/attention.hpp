// Attention of all heads as one operation, faster than the plain form in autograd/attention.cpp.
#pragma once

#include "autograd/attention.hpp"

namespace qisa {

/// attention() of inputs that it has checked.
Variable fast_attention(const HeadColumns& q, const HeadColumns& k, const HeadColumns& v, const AttentionSettings& s,
                        DropoutStream& stream);

}  // namespace qisa
