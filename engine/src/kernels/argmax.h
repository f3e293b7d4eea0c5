/* Where along an axis the largest or smallest elements are. */
#ifndef ENG_KERNELS_ARGMAX_H
#define ENG_KERNELS_ARGMAX_H

#include "kernels/axes.h"

#include <stdint.h>

struct eng_argmax {
    bool smallest;
    bool last; /* of equal ones the last, not the first */
};

/* Purpose: index[o] = the place of output o's extreme term; axes runs over one axis, which is not
 * empty. Numbers of any type; NaN counts as the largest. */
void eng_argmax(const struct eng_axes *axes, struct eng_argmax what, enum eng_dtype dtype,
                const void *x, int64_t *index, struct eng_pool *pool);

#endif
