/* Filters as fixed-point weights: which input samples make an output sample, and how much of each.
 */
#ifndef ENG_IMAGE_WEIGHTS_H
#define ENG_IMAGE_WEIGHTS_H

#include "image/resize.h"

/* Fixed point: 8 bits of pixel, 2 bits for filters that overshoot, 22 of fraction. */
enum { ENG_WEIGHT_FRACTION_BITS = 32 - 8 - 2 };

struct eng_weights {
    uint32_t n_out;
    uint32_t stride; /* room for the weights of one output sample: a multiple of 4 */
    uint32_t *begin; /* [n_out] first input sample; never falls */
    uint32_t *n;     /* [n_out] how many, at least 1; begin + n never falls */
    int32_t *weight; /* [n_out, stride]; 0 behind the n that count */
};

/* Purpose: the weights of an axis. Errors: NO_MEMORY. End it with eng_weights_fini even then. */
enum eng_status eng_weights_init(struct eng_weights *w, const struct eng_axis *axis,
                                 const struct eng_sampling *how, struct eng_error *err);
void eng_weights_fini(struct eng_weights *w);

#endif
