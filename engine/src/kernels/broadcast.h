/* Elementwise functions of two tensors whose shapes broadcast as in numpy. */
#ifndef ENG_KERNELS_BROADCAST_H
#define ENG_KERNELS_BROADCAST_H

#include "engine/pool.h"
#include "engine/tensor.h"
#include "kernels/activation.h"
#include "kernels/binary.h"

#include <stdbool.h>

/* The result's dimensions, joined where both sides walk through them alike; steps are 0 along a
 * dimension that a side repeats. */
struct eng_broadcast {
    int rank; /* at least 1 */
    size_t dim[ENG_MAX_RANK];
    size_t step_a[ENG_MAX_RANK], step_b[ENG_MAX_RANK];
    size_t count; /* of the result */
};

/* Where result element i comes from. */
struct eng_broadcast_at {
    size_t a, b;
};

/* Purpose: how many elements a side moves on per step along each of y's dimensions: 0 where it is
 * repeated. step has y's rank. */
void eng_broadcast_steps(const struct eng_shape *side, const struct eng_shape *y, size_t *step);

/* Purpose: works out how a and b walk through y, to which they broadcast. */
void eng_broadcast_plan(const struct eng_shape *a, const struct eng_shape *b,
                        const struct eng_shape *y, struct eng_broadcast *out);

struct eng_broadcast_at eng_broadcast_at(const struct eng_broadcast *plan, size_t i);

/* Purpose: y = activation(what(a, b)), for a type of which there is such a function; other types
 * than float take no activation. y may be a if a is not repeated. */
void eng_broadcast_forward(const struct eng_broadcast *plan, enum eng_binary what,
                           enum eng_dtype dtype, const void *a, const void *b,
                           struct eng_activation activation, void *y, struct eng_pool *pool);

/*
 * Purpose: the gradient of one side, floats: da += dy (other NULL: ADD) or dy * other (MUL), summed
 *          over the dimensions along which that side was repeated. write: da = instead of +=.
 * is_a: which side's steps lead through da; the other's lead through `other`.
 */
void eng_broadcast_backward(const struct eng_broadcast *plan, bool is_a, const float *other,
                            const float *dy, bool write, float *da);

/*
 * Purpose: the same for any function: d += dy times eng_binary_slope. a and b are the inputs, d is
 *          the gradient of a (is_a) or b.
 */
void eng_broadcast_backward_slopes(const struct eng_broadcast *plan, enum eng_binary what,
                                   bool is_a, const float *a, const float *b, const float *dy,
                                   float *d);

#endif
