// The scalar and index types of the whole library.
//
// The same sources build twice: with Real = float (what programs use) and, when QISA_DOUBLE is
// defined, with Real = double (what gradient checks use). Next: shape.hpp, tensor.hpp.
#pragma once

#include <cstdint>

namespace qisa {

#ifdef QISA_DOUBLE
using Real = double;
#else
using Real = float;
#endif

using Index = std::int64_t;

}  // namespace qisa
