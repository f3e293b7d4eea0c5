/* A tensor's axes told apart: those that an operation keeps, and those that it runs over. */
#ifndef ENG_KERNELS_AXES_H
#define ENG_KERNELS_AXES_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

enum { ENG_AXES_TILE = 128 };

/* Nested loops, outermost first; steps in elements. */
struct eng_walk {
    int rank;
    size_t dim[ENG_MAX_RANK], step[ENG_MAX_RANK];
    size_t count; /* turns of the innermost loop in all */
};

/* Neighbouring axes of one kind are joined, axes of length 1 are gone. The innermost are the line,
 * which is contiguous; the walks lead over all others. */
struct eng_axes {
    size_t line;
    bool line_is_kept;
    struct eng_walk kept, reduced;
    size_t n_outputs; /* elements that are kept apart */
    size_t n_terms;   /* elements that each of them stands for */
};

/* Where a walk is. */
struct eng_stepper {
    const struct eng_walk *walk;
    size_t index[ENG_MAX_RANK];
    size_t offset; /* in elements */
};

/* Purpose: the plan for x; bit d of reduced: axis d is run over. */
void eng_axes_plan(const struct eng_shape *x, unsigned reduced, struct eng_axes *out);

/* Purpose: the walk at turn i. */
struct eng_stepper eng_stepper_at(const struct eng_walk *walk, size_t i);

static inline void eng_stepper_next(struct eng_stepper *stepper)
{
    const struct eng_walk *walk = stepper->walk;
    for (int d = walk->rank - 1; d >= 0; d--) {
        stepper->offset += walk->step[d];
        if (++stepper->index[d] < walk->dim[d]) return;
        stepper->offset -= walk->dim[d] * walk->step[d];
        stepper->index[d] = 0;
    }
}

/*
 * Some neighbouring outputs: the first one's number, the place in x of its first term, and how many
 * (1 if the line is not kept, else up to ENG_AXES_TILE). The terms lie in axes->reduced.count lines
 * from there: `width` elements, one for each output, if the line is kept, else axes->line elements,
 * all of one output.
 */
struct eng_axes_tile {
    size_t output, offset, width;
};

typedef void eng_axes_tile_fn(void *ctx, const struct eng_axes_tile *tile);

/* Purpose: runs fn over all outputs, on the pool where that pays; tiles do not depend on it. */
void eng_axes_each_tile(const struct eng_axes *axes, struct eng_pool *pool, eng_axes_tile_fn *fn,
                        void *ctx);

/* Purpose: the length of a line of that tile. */
static inline size_t eng_axes_length(const struct eng_axes *axes, const struct eng_axes_tile *tile)
{
    return axes->line_is_kept ? tile->width : axes->line;
}

#endif
