// The scalar and index types of the whole library.
//
// The same sources build twice: with Real = float (what programs use) and, when QISA_DOUBLE is
// defined, with Real = double (what gradient checks use). Next: shape.hpp, tensor.hpp.
#pragma once

#include <cstdint>

// Every caller asks the linker for one of these names, and only the library of the same flavour has it.
#ifdef QISA_DOUBLE
#define QISA_FLAVOUR this_program_defines_QISA_DOUBLE_but_links_the_library_for_float
#else
#define QISA_FLAVOUR this_program_links_the_library_for_double_but_does_not_define_QISA_DOUBLE
#endif
extern "C" const char QISA_FLAVOUR;

namespace qisa {

#ifdef QISA_DOUBLE
using Real = double;
#else
using Real = float;
#endif

using Index = std::int64_t;

[[gnu::used]] inline const char* const same_flavour = &QISA_FLAVOUR;

}  // namespace qisa
