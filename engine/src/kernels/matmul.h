/* Stacks of matrix products, as numpy.matmul pairs them. */
#ifndef ENG_KERNELS_MATMUL_H
#define ENG_KERNELS_MATMUL_H

#include "engine/pool.h"
#include "kernels/activation.h"
#include "kernels/broadcast.h"

#include <stdbool.h>
#include <stddef.h>

/* C [.., m, n] = A [.., m, k] B [.., k, n], row-major and dense; batches says which matrix of A and
 * which of B each of C's takes: its steps count matrices. */
struct eng_matmul {
    size_t m, n, k;
    struct eng_broadcast batches;
};

/* Purpose: whether there is a product for the type: all numbers but float16. */
bool eng_matmul_takes(enum eng_dtype dtype);

/*
 * Purpose: C = activation(A B). Integers wrap around and take no activation; doubles take none.
 * Determinism: row i of a matrix depends on row i of A alone, to the last bit, whatever the pool.
 */
void eng_matmul_forward(const struct eng_matmul *matmul, enum eng_dtype dtype, const void *a,
                        const void *b, struct eng_activation activation, void *c,
                        struct eng_pool *pool);

/* Purpose: how eng_matmul_forward computes it: "product", "plain loops". Static. */
const char *eng_matmul_algorithm(enum eng_dtype dtype);

/* What backward reads and fills, float32; da and db may be NULL. */
struct eng_matmul_gradients {
    const float *a, *b, *dc;
    float *da, *db;
    bool write_da, write_db; /* = instead of += */
};

/* Purpose: dA = dC B^T, dB = A^T dC; a matrix that was repeated collects from all its uses. */
void eng_matmul_backward(const struct eng_matmul *matmul,
                         const struct eng_matmul_gradients *gradients, struct eng_pool *pool);

#endif
