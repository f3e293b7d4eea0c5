/*
 * Moving elements between two tensors that hold them in different places: what transposing,
 * slicing, repeating, joining and cutting have in common.
 */
#ifndef ENG_KERNELS_BOX_H
#define ENG_KERNELS_BOX_H

#include "engine/pool.h"
#include "engine/tensor.h"

enum { ENG_BOX_RANK = 2 * ENG_MAX_RANK }; /* Tile has two dimensions for each of its input's */

/*
 * A box of elements and how both sides step through it, in elements; outermost dimension first.
 * A step is 0 along a dimension that a side repeats, negative where it goes backwards. Element
 * (0, .., 0) lies at from_start and to_start. Zeroed it is one element; eng_box_push adds to it.
 */
struct eng_box {
    int rank;
    size_t dim[ENG_BOX_RANK];
    ptrdiff_t from[ENG_BOX_RANK], to[ENG_BOX_RANK];
    ptrdiff_t from_start, to_start;
};

/* Purpose: adds a dimension inside the others; joins it with the one before where both sides step
 * through them as through one. At most ENG_BOX_RANK calls. */
void eng_box_push(struct eng_box *box, int64_t dim, ptrdiff_t from, ptrdiff_t to);

/* Purpose: the steps of a row-major tensor, one per dimension. */
void eng_box_steps(const struct eng_shape *shape, ptrdiff_t step[ENG_MAX_RANK]);

/* Purpose: the same box moved back: sides exchanged. */
struct eng_box eng_box_back(const struct eng_box *box);

/*
 * Purpose: to[...] = from[...] over the whole box. No step of `to` is 0; the sides do not overlap.
 * Cost: one pass; a plane whose sides are contiguous along different dimensions goes in blocks.
 * Threads: spread over pool.
 */
void eng_box_copy(const struct eng_box *box, enum eng_dtype dtype, const void *from, void *to,
                  struct eng_pool *pool);

/*
 * Purpose: to[...] += from[...], floats; where a step of `to` is 0 that is a sum. Threads: spread
 * over pool if no step of `to` is 0.
 */
void eng_box_add(const struct eng_box *box, const float *from, float *to, struct eng_pool *pool);

#endif
