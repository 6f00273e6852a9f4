// Which of its kernels OpenBLAS runs. It has one for each kind of processor and chooses by the processor's model
// number. For a model newer than itself it takes the oldest, several times slower; so when a program starts, a kernel
// that uses all of the processor's vector instructions is chosen here. The environment variable OPENBLAS_CORETYPE,
// if set, has the last word.
#pragma once

#include <string>

namespace qisa {

/// Which OpenBLAS this is and the processor that its kernel is made for, for example "OpenBLAS 0.3.21, SkylakeX".
std::string blas_description();

/// The kernel to prefer to one of the given name, on a processor with AVX2 and FMA, or with AVX-512 too, or with
/// neither; empty when there is none that uses more of these instructions.
std::string better_blas_kernel(const std::string& kernel, bool avx2, bool avx512);

/// One line on what to do when the kernel that runs uses fewer vector instructions than this processor has; empty when
/// there is nothing to do.
std::string blas_advice();

/// Whether this OpenBLAS has kernels for small products of floats: from version 0.3.17 on, if they use AVX-512.
bool blas_has_small_kernels();

}  // namespace qisa
