/* Distances between rows of bytes, exact, many at a time. */
#ifndef ENG_KERNELS_DISTANCE_H
#define ENG_KERNELS_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum eng_distance {
    ENG_DISTANCE_L1, /* sum of |a - b| */
    ENG_DISTANCE_L2, /* sum of (a - b)^2: the root is left out, it changes no order */
    ENG_N_DISTANCES,
};

enum { ENG_DISTANCE_BLOCK = 256 };

/* Every query with every reference; at most ENG_DISTANCE_BLOCK of each. */
struct eng_distance_block {
    size_t n_queries, n_references, n_features;
    const uint8_t *queries;    /* [n_queries, n_features] */
    const uint8_t *references; /* [n_references, n_features] */
    uint32_t *out;             /* [n_queries, n_references] */
};

typedef void eng_distance_fn(const struct eng_distance_block *block);

/* One row per instruction set. */
struct eng_distance_kernels {
    const char *name; /* as in struct eng_kernels */
    bool (*runs_here)(void);
    eng_distance_fn *run[ENG_N_DISTANCES];
    unsigned features; /* of enum eng_cpu_feature that the level must have */
};

/*
 * Purpose: the best row for this CPU, at most the one that eng_kernels chose.
 * Cost: about 2 (AVX-512), 4 (AVX2) instructions per register of features and pair, from cache:
 *       the queries are read again for every four references, the references for every four
 *       queries.
 * Source: vpsadbw for L1; |a|^2 + |b|^2 - 2ab with vpdpbusd, or differences with vpmaddwd, for L2.
 */
const struct eng_distance_kernels *eng_distance_kernels(void);

/* Purpose: all rows, best first, for tests and benchmarks; NULL after the last. */
const struct eng_distance_kernels *eng_distance_kernels_at(size_t i);

/* Purpose: the most features whose distance fits 32 bits, whatever the bytes. */
size_t eng_distance_max_features(enum eng_distance distance);

/*
 * Purpose: one query of any floats with every reference, in double precision. out [n_references].
 * A query of whole numbers 0..255 gives exactly what the bytes give.
 */
void eng_distance_floats(enum eng_distance distance, const float *query, const uint8_t *references,
                         size_t n_references, size_t n_features, double *out);

#endif
