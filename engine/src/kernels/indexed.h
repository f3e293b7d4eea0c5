/*
 * Reading and writing blocks of a tensor at places that another tensor names: what gathering and
 * scattering have in common.
 */
#ifndef ENG_KERNELS_INDEXED_H
#define ENG_KERNELS_INDEXED_H

#include "engine/pool.h"
#include "engine/tensor.h"

/*
 * Block (c0, c1, ..) of the gathered (or scattered) blocks lies in the data at the sum of c step
 * and index tuple_step; its n_tuple indices lie in the index tensor at the sum of c index_step.
 * Steps and block are counted in elements.
 */
struct eng_indexed {
    int rank;
    int64_t dim[ENG_MAX_RANK];
    ptrdiff_t step[ENG_MAX_RANK], index_step[ENG_MAX_RANK];
    int n_tuple;
    int64_t length[ENG_MAX_RANK]; /* of the dimensions that the indices count along */
    ptrdiff_t tuple_step[ENG_MAX_RANK];
    int64_t block;
};

/* What becomes of an element that is there and one that comes. NaN wins over any number. */
enum eng_scatter {
    ENG_SCATTER_NONE,
    ENG_SCATTER_ADD,
    ENG_SCATTER_MUL,
    ENG_SCATTER_MAX,
    ENG_SCATTER_MIN
};

/* Purpose: adds a dimension of blocks inside the others. */
void eng_indexed_push(struct eng_indexed *map, int64_t dim, ptrdiff_t step, ptrdiff_t index_step);

/* Purpose: adds a number to the tuple. */
void eng_indexed_push_tuple(struct eng_indexed *map, int64_t length, ptrdiff_t step);

/*
 * Purpose: y = the blocks of x one after another. indices: int64 or int32; those below 0 count from
 * the end; where one lies outside x, the block is 0. Threads: spread over pool.
 */
void eng_indexed_gather(const struct eng_indexed *map, const struct eng_tensor *indices,
                        enum eng_dtype dtype, const void *x, void *y, struct eng_pool *pool);

/* Purpose: y += the blocks of x one after another, floats. */
void eng_indexed_gather_add(const struct eng_indexed *map, const struct eng_tensor *indices,
                            const float *x, float *y);

/*
 * Purpose: y = y combined with the blocks of `updates`, one after another; of several for one place
 * the last stands if they are not combined. Where an index lies outside y, nothing is written.
 * updates NULL: zeros instead (NONE only).
 */
void eng_indexed_scatter(const struct eng_indexed *map, const struct eng_tensor *indices,
                         enum eng_dtype dtype, enum eng_scatter how, const void *updates, void *y);

#endif
