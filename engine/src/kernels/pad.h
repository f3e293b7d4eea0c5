/* Putting a border around a box, or cutting some of it off. */
#ifndef ENG_KERNELS_PAD_H
#define ENG_KERNELS_PAD_H

#include "engine/pool.h"
#include "engine/tensor.h"

enum eng_pad_mode { ENG_PAD_CONSTANT, ENG_PAD_REFLECT, ENG_PAD_EDGE, ENG_PAD_WRAP };

/* Dimensions that stay as they are at the end are one block, which moves as a whole. */
struct eng_pad {
    enum eng_pad_mode mode;
    int rank;                     /* at least 1 */
    int64_t before[ENG_MAX_RANK]; /* index 0 of the input's part, in the output */
    int64_t n[ENG_MAX_RANK];      /* what is left of the input when negative pads are cut off */
    int64_t out[ENG_MAX_RANK];    /* the output's dimensions */
    int64_t step[ENG_MAX_RANK];   /* the input's, in elements */
    int64_t start;                /* the input's first element that is left */
    int64_t block;                /* elements */
};

/*
 * Purpose: plans pads[d] elements before and pads[rank + d] behind dimension d of x; negative ones
 *          cut. The result's shape is x's plus both, which the caller has checked: nothing negative
 *          is left, and where nothing is left only CONSTANT pads.
 */
void eng_pad_plan(const struct eng_shape *x, const int64_t pads[2 * ENG_MAX_RANK],
                  enum eng_pad_mode mode, struct eng_pad *out);

/* Purpose: y = x with its border; value (one element) is what CONSTANT puts there, NULL: 0. */
void eng_pad_forward(const struct eng_pad *pad, enum eng_dtype dtype, const void *x,
                     const void *value, void *y, struct eng_pool *pool);

/* Purpose: dx += the gradient of x, dvalue += that of value, floats; NULL: not wanted. */
void eng_pad_backward(const struct eng_pad *pad, const float *dy, float *dx, float *dvalue);

#endif
