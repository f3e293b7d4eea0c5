/*
 * Attention: y = softmax(scale q k' + masks) v, each head by itself.
 *
 * Keys and values are packed once for each head; then queries go through in blocks whose scores
 * stay in the cache: products by the packed kernel, softmax of rows in place. Queries, keys, values
 * and the answer may lie anywhere, as long as a row's numbers stand side by side.
 *
 * Every number of y is one chain of operations, the same whatever the batch and the pool.
 * Source: Vaswani et al. 2017, equation 1.
 */
#ifndef ENG_KERNELS_ATTENTION_H
#define ENG_KERNELS_ATTENTION_H

#include "engine/pool.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    ENG_ATTENTION_LEVELS = 8,
    ENG_ATTENTION_MASKS = 2,
    ENG_ATTENTION_MOST_KEYS = 4096, /* so that some rows of scores are one block */
};

/* Where the rows of each head start: the head's number is written in digits, the last of which
 * counts up to dim[n - 1]; steps in floats. */
struct eng_attention_place {
    int n;
    size_t dim[ENG_ATTENTION_LEVELS], step[ENG_ATTENTION_LEVELS];
    size_t offset;
    size_t row; /* from one row to the next */
};

struct eng_attention {
    size_t n_heads; /* of all samples */
    size_t n_queries, n_keys;
    size_t depth, width; /* of queries and keys, and of values */
    struct eng_attention_place q, k, v, y, masks[ENG_ATTENTION_MASKS]; /* masks: rows of n_keys */
    float scale;
};

struct eng_attention_call {
    const float *q, *k, *v;
    const float *masks[ENG_ATTENTION_MASKS]; /* added to scaled scores; NULL: none */
    float *y;
    void *scratch;
    struct eng_pool *pool;
};

/* Purpose: memory for one forward. False: the size overflows. */
bool eng_attention_scratch_bytes(const struct eng_attention *a, size_t *out);

/* Purpose: forward; at most ENG_ATTENTION_MOST_KEYS keys. */
void eng_attention_forward(const struct eng_attention *a, const struct eng_attention_call *call);

#endif
