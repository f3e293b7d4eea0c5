/* The tables that the vector_*.c files define; use dispatch.h. */
#ifndef ENG_KERNELS_VECTOR_H
#define ENG_KERNELS_VECTOR_H

#include "kernels/dispatch.h"

/* Whether there are tables for x86-64's instructions, or the portable one alone. */
#if defined(__x86_64__) && !defined(ENG_PORTABLE_ONLY)
#define ENG_X86
#endif

extern const struct eng_kernels eng_kernels_avx512, eng_kernels_avx2, eng_kernels_portable;

/* Before a loop over an array that shall stay in registers. */
#if defined(__clang__) || defined(__SANITIZE_ADDRESS__)
#define UNROLL /* clang does so by itself; under AddressSanitizer it takes minutes to compile */
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#endif
