// As many numbers as a register of the processor holds, as one value: the compilers' vector type (GCC and Clang).
#pragma once

#include <algorithm>

#include "tensor/real.hpp"

namespace qisa {

#if defined(__AVX512F__)
inline constexpr Index register_bytes = 64, registers = 32;
#elif defined(__AVX__)
inline constexpr Index register_bytes = 32, registers = 16;
#elif defined(__aarch64__)
inline constexpr Index register_bytes = 16, registers = 32;
#else
inline constexpr Index register_bytes = 16, registers = 16;
#endif

/// At least four, which the shuffles of lane_transpose_four.hpp take for granted.
inline constexpr Index vector_count = std::max<Index>(4, register_bytes / static_cast<Index>(sizeof(Real)));

using Vector __attribute__((vector_size(vector_count * sizeof(Real)), aligned(alignof(Real)), may_alias)) = Real;

/// The vector at `numbers`, to read or to write.
inline Vector& vector_at(Real* numbers) { return *reinterpret_cast<Vector*>(numbers); }
inline const Vector& vector_at(const Real* numbers) { return *reinterpret_cast<const Vector*>(numbers); }

}  // namespace qisa
