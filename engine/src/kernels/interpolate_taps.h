/* Which input positions an output position of one axis looks at, and how much each counts. */
#ifndef ENG_KERNELS_INTERPOLATE_TAPS_H
#define ENG_KERNELS_INTERPOLATE_TAPS_H

#include "kernels/interpolate.h"

#include <stdint.h>

/* Of one axis: index and weight [out, n]. index[x * n] of -1: x lies outside (crop and resize). */
struct eng_taps {
    size_t n;
    int32_t *index;
    double *weight;
};

/* Purpose: taps per output position. */
size_t eng_taps_count(const struct eng_interpolation *i, const struct eng_interpolation_axis *axis);

/* Purpose: fills the table; index and weight have room for out * n. */
void eng_taps_fill(const struct eng_interpolation *i, const struct eng_interpolation_axis *axis,
                   struct eng_taps *out);

#endif
