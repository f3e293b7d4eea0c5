/*
 * Products with constant weights, for inference: x [rows, depth] times w [depth, columns], w packed
 * once.
 *
 * With weights in the order in which they are read a product is one stream of memory, and nothing
 * is copied on the way. Two orders, chosen by w's shape alone:
 *
 *     columns   a vector holds neighbouring columns (kernels/dispatch.h, eng_packed_product): for
 *               many columns, at the pace of the processor for many rows and of memory for one
 *     dots      a vector holds neighbouring numbers along the depth (eng_packed_dots): for few
 *               columns, of which no vector would be full
 *
 * On request, where the CPU has instructions for it, a third: bfloat16 (kernels/bf16.h).
 *
 * Every number of y is one chain of operations, the same whatever the rows and the pool: so the
 * same row gives the same bits in every batch.
 */
#ifndef ENG_KERNELS_LINEAR_H
#define ENG_KERNELS_LINEAR_H

#include "engine/pool.h"
#include "kernels/activation.h"

#include <stdbool.h>
#include <stddef.h>

struct eng_linear {
    size_t n_rows, depth, n_columns;
    bool is_dots; /* the order of the packed weights */
    bool is_bf16; /* another one: pairs of bfloat16 (kernels/bf16.h), if somebody asks for it */
};

/* Purpose: which order is faster. */
bool eng_linear_choose_dots(size_t depth, size_t n_columns);

/* Purpose: whether bfloat16 can be asked for here, and is faster. */
bool eng_linear_bf16_can(size_t depth, size_t n_columns);

/* Purpose: memory for one forward; 0 but with bfloat16. False: the size overflows. */
bool eng_linear_scratch_bytes(const struct eng_linear *linear, size_t *out);

/* Purpose: floats of the packed weights. False: the size overflows. */
bool eng_linear_packed_floats(const struct eng_linear *linear, size_t *out);

/* w[k, j] = data[k * depth_step + j * column_step] * scale[j]; scale NULL: 1. */
struct eng_linear_weights {
    const float *data;
    size_t depth_step, column_step;
    const float *scale;
};

/* Purpose: w to packed, 64-byte aligned. */
void eng_linear_pack(const struct eng_linear *linear, const struct eng_linear_weights *weights,
                     float *packed);

/* Purpose: floats of a bias that is filled up with zeros for whole vectors to be read. */
size_t eng_linear_bias_floats(const struct eng_linear *linear);

struct eng_linear_call {
    const float *x, *packed;
    const float *bias;  /* filled up with zeros; NULL: 0 */
    const float *added; /* as y; added before the activation; NULL: 0 */
    struct eng_activation activation;
    float *y;
    void *scratch;
    struct eng_pool *pool;
};

/* Purpose: y = activation(x w + bias + added). Threads: spreads large products over pool. */
void eng_linear_forward(const struct eng_linear *linear, const struct eng_linear_call *call);

#endif
