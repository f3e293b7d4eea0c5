/* Moving elements between two places whose dimensions lie in any order: transposes, diagonals,
 * repetitions, sums along dimensions. */
#ifndef ENG_KERNELS_STRIDED_H
#define ENG_KERNELS_STRIDED_H

#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

enum { ENG_STRIDED_RANK = 16 };

/* Element (i0, i1 ..) goes from sum(i * from) to sum(i * to), steps in elements. A step of 0 in
 * `from` repeats, in `to` it collects. */
struct eng_strided {
    int rank;
    size_t dim[ENG_STRIDED_RANK], from[ENG_STRIDED_RANK], to[ENG_STRIDED_RANK];
};

/* Purpose: joins dimensions that both places walk through alike, for longer inner loops. */
void eng_strided_join(struct eng_strided *strided);

/* Purpose: whether every element goes where it came from. */
bool eng_strided_is_identity(const struct eng_strided *strided);

/* Purpose: the way back. */
struct eng_strided eng_strided_reverse(const struct eng_strided *strided);

/* Purpose: to = from, and to += from; integers wrap around. Any type but float16; add: no bool. */
void eng_strided_copy(const struct eng_strided *strided, enum eng_dtype dtype, const void *from,
                      void *to);
void eng_strided_add(const struct eng_strided *strided, enum eng_dtype dtype, const void *from,
                     void *to);

#endif
