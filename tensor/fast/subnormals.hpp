// Numbers of type Real that are too small for a full precision (floats below 1.2e-38), and what they cost.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace qisa {

/// From now on the calling thread, and the threads that it starts, take such numbers for 0, as operands and as results.
/// They turn up as training goes on, and some processors compute with them many times more slowly. On x86; elsewhere
/// it does nothing.
inline void flush_subnormals() {
#if defined(__SSE__)
  constexpr unsigned results = 0x8000, operands = 0x0040;  // "flush to zero" and "denormals are zeros"
  _mm_setcsr(_mm_getcsr() | results | operands);
#endif
}

}  // namespace qisa
