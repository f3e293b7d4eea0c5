/* The k nearest of many references, by exhaustive search. */
#ifndef ENG_KERNELS_NEAREST_H
#define ENG_KERNELS_NEAREST_H

#include "engine/pool.h"
#include "kernels/distance.h"

/* One reference as seen from a query. */
struct eng_neighbour {
    double distance; /* L2: squared */
    uint32_t index;
};

struct eng_nearest {
    enum eng_distance distance;
    size_t n_queries, n_references, n_features, k; /* 1 <= k <= n_references <= INT32_MAX */
    const uint8_t *references;                     /* [n_references, n_features] */
};

/*
 * Purpose: memory for one run: the queries as bytes and each thread's nearest so far.
 * Errors: false if that is more than a size_t counts.
 */
bool eng_nearest_scratch_bytes(const struct eng_nearest *nearest, size_t *n_bytes);

/*
 * Purpose: finds for every query its k nearest references, nearest first, equally near ones by
 * index. A query of whole numbers 0..255 is compared as bytes, exactly; any other in double
 * precision, with the same meaning. A distance that is not a number counts as infinite.
 * Shapes: queries [n_queries, n_features]; out [n_queries, k].
 * Threads: references are dealt to the pool's; the answer depends on neither threads nor batch.
 * Cost: every distance is computed, whatever k; what is not among the k nearest so far costs one
 *       comparison more.
 */
void eng_nearest_run(const struct eng_nearest *nearest, const float *queries,
                     struct eng_neighbour *out, void *scratch, struct eng_pool *pool);

#endif
