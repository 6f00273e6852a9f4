// Numbers of type Real that are too small for a full precision (floats below 1.2e-38), and what they cost.
#pragma once

namespace qisa {

/// From now on the calling thread, and the threads that it starts, take such numbers for 0, as operands and as results.
/// They turn up as training goes on, and some processors compute with them many times more slowly. On x86; elsewhere
/// it does nothing.
void flush_subnormals();

}  // namespace qisa
