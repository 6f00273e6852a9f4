#include "tensor/real.hpp"

#ifdef QISA_DOUBLE
const char this_program_defines_QISA_DOUBLE_but_links_the_library_for_float = 0;
#else
const char this_program_links_the_library_for_double_but_does_not_define_QISA_DOUBLE = 0;
#endif
