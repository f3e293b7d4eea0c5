/* A last layer for other classes. */
#ifndef ENG_TRAIN_NEW_HEAD_H
#define ENG_TRAIN_NEW_HEAD_H

#include "graph/graph.h"

#include <stdint.h>

/* What is to be replaced. */
struct eng_new_head {
    int scores;                 /* the value that has n_before numbers a sample */
    size_t n_before, n_outputs; /* now, and wanted */
    uint64_t seed;              /* of the fresh weights */
};

/*
 * Purpose: gives the Conv, Gemm or MatMul that the scores come from weights for n_outputs, fresh
 *          as those of a layer ("he_normal"), and 0 to its bias. Between it and the scores may
 *          stand what adds a bias, pools, rectifies, drops out or reshapes. Constants that other
 *          nodes read too stay as they are for those.
 * Errors: UNSUPPORTED naming the node that stands in the way or has no such weights; NO_MEMORY,
 *         LIMIT.
 */
enum eng_status eng_new_head_make(struct eng_graph *graph, const struct eng_new_head *head,
                                  struct eng_error *err);

#endif
