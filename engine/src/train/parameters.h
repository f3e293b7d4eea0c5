/* What training adjusts: the trainable constants of a graph, laid end to end in one numbering. */
#ifndef ENG_TRAIN_PARAMETERS_H
#define ENG_TRAIN_PARAMETERS_H

#include "engine/pool.h"
#include "graph/graph.h"
#include "train/optimiser.h"

#include <stddef.h>

/* A stretch of one constant: small enough that several threads can share an update. */
struct eng_parameter_piece {
    float *data;  /* in the graph */
    size_t first; /* its number */
    size_t n;
};

struct eng_parameters {
    size_t n;      /* floats in all */
    size_t *first; /* [n_values] number of the value's first float, SIZE_MAX: not trainable */
    struct eng_parameter_piece *pieces;
    size_t n_pieces;
};

/* Purpose: finds them. Borrows the graph. End with eng_parameters_fini.
 * Errors: FORMAT (there are none), NO_MEMORY. */
enum eng_status eng_parameters_init(struct eng_parameters *parameters,
                                    const struct eng_graph *graph, struct eng_error *err);
void eng_parameters_fini(struct eng_parameters *parameters);

/*
 * Purpose: one step: sums the shards' gradients in shard order into the first shard's and lets the
 * optimiser move every parameter.
 * Shapes: gradients [n_shards] of [parameters->n].
 * Threads: pieces run on the pool; the result does not depend on it.
 */
void eng_parameters_step(const struct eng_parameters *parameters, struct eng_optimiser *optimiser,
                         double learning_rate, float *const *gradients, size_t n_shards,
                         struct eng_pool *pool);

#endif
