/* Running sums along an axis. */
#ifndef ENG_KERNELS_CUMULATE_H
#define ENG_KERNELS_CUMULATE_H

#include "engine/tensor.h"

/* x and y are [outer, n, inner]. */
struct eng_cumulate {
    size_t outer, n, inner;
    bool exclusive; /* an element's own value is not in its sum */
    bool reverse;   /* from the end */
};

/* Purpose: y = the running sums of x, or y += them if add; floats are summed in double, integers
 * wrap around. Numbers of 4 and 8 bytes. */
void eng_cumulate(const struct eng_cumulate *c, enum eng_dtype dtype, const void *x, bool add,
                  void *y);

#endif
