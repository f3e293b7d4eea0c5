/*
 * A tensor read in another order, without moving it: transposed, reshaped, cut.
 *
 * Every dimension of a view is a list of factors, outermost first: [197, 24] made of [197, 2, 12]
 * by turning the last two round has the dimensions (197 by 24) and (12 by 1, 2 by 12). So any
 * reshape has a view whose new borders fall on borders of factors or cut one evenly.
 */
#ifndef ENG_OPS_VIEW_H
#define ENG_OPS_VIEW_H

#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

enum { ENG_VIEW_FACTORS = 16, ENG_VIEW_STEPS = 12 };

struct eng_view_factor {
    size_t n, step; /* n > 1; step in elements of the tensor */
};

struct eng_view {
    int rank;
    int end[ENG_MAX_RANK]; /* dimension d has the factors end[d - 1] .. end[d] - 1; of 1 it has none
                            */
    struct eng_view_factor factors[ENG_VIEW_FACTORS];
    size_t offset;
};

enum eng_view_kind { ENG_VIEW_TRANSPOSE, ENG_VIEW_RESHAPE, ENG_VIEW_CUT };

/* One step from a shape to another. */
struct eng_view_step {
    enum eng_view_kind kind;
    int rank;
    /* TRANSPOSE: the order. RESHAPE: dimensions, one may be -1 for what is left. */
    int64_t v[ENG_MAX_RANK];
    int axis; /* CUT: start .. start + count - 1 of it */
    int64_t start, count;
};

struct eng_view_chain {
    int n;
    struct eng_view_step steps[ENG_VIEW_STEPS];
};

/* Purpose: the tensor as it lies. False: a dimension is 0, or there are too many. */
bool eng_view_whole(const struct eng_shape *shape, struct eng_view *out);

/* Purpose: the view after a chain of steps. False: it has none, or a step does not fit. */
bool eng_view_follow(const struct eng_view_chain *chain, struct eng_view *view);

/* Purpose: the shape that a tensor of that shape has after a chain. False: a step does not fit. */
bool eng_view_shape(const struct eng_view_chain *chain, const struct eng_shape *from,
                    struct eng_shape *out);

/*
 * Purpose: the inverse: where the elements of a tensor of shape `from` lie in what a chain without
 * cuts makes of it. False as eng_view_follow.
 */
bool eng_view_backwards(const struct eng_view_chain *chain, const struct eng_shape *from,
                        struct eng_view *out);

/* Purpose: the number of elements along a dimension. */
size_t eng_view_dim(const struct eng_view *view, int d);

/* Purpose: the step of a dimension of one factor or none; false if it has several. */
bool eng_view_step(const struct eng_view *view, int d, size_t *step);

#endif
