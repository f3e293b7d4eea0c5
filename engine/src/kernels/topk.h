/* The k largest or smallest elements along an axis. */
#ifndef ENG_KERNELS_TOPK_H
#define ENG_KERNELS_TOPK_H

#include "engine/tensor.h"

#include <stdint.h>

/* x is [outer, n, inner], the results are [outer, k, inner]; k is at most n. */
struct eng_topk {
    size_t outer, n, inner, k;
    bool smallest;
};

/* An element while it is among the best so far. */
struct eng_topk_entry {
    uint64_t key;
    size_t index;
};

/*
 * Purpose: the k best of each line, best first; of equal ones the one with the lower index is
 * better. Numbers of any type; NaN counts as the largest. heap: room for k entries. values may be
 * NULL. Cost: n log k comparisons a line.
 */
void eng_topk(const struct eng_topk *t, enum eng_dtype dtype, const void *x, void *values,
              int64_t *indices, struct eng_topk_entry *heap);

#endif
