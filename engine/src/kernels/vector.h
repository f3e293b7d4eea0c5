/* The tables that the vector_*.c files define; use dispatch.h. */
#ifndef ENG_KERNELS_VECTOR_H
#define ENG_KERNELS_VECTOR_H

#include "kernels/dispatch.h"

extern const struct eng_kernels eng_kernels_avx512, eng_kernels_avx2, eng_kernels_portable;

#endif
