#include "tensor/fast/subnormals.hpp"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace qisa {

void flush_subnormals() {
#if defined(__SSE__)
  constexpr unsigned results = 0x8000, operands = 0x0040;  // "flush to zero" and "denormals are zeros"
  _mm_setcsr(_mm_getcsr() | results | operands);
#endif
}

}  // namespace qisa
