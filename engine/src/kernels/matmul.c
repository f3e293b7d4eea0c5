#include "kernels/matmul.h"

#include "base/share.h"
#include "kernels/gemm.h"

#include <string.h>

static const struct eng_activation none = {.kind = ENG_ACT_NONE};

/* What a loop over C's matrices works on. */
struct stack {
    const struct eng_matmul *matmul;
    enum eng_dtype dtype;
    const char *a, *b;
    struct eng_activation activation;
    char *c;
    struct eng_pool *pool; /* for the inside of one product */
};

static void product_float(const struct stack *stack, const void *a, const void *b, void *c)
{
    const struct eng_matmul *s = stack->matmul;
    struct eng_gemm gemm = {.m = s->m,
                            .n = s->n,
                            .k = s->k,
                            .a = a,
                            .b = b,
                            .c = c,
                            .lda = s->k,
                            .ldb = s->n,
                            .ldc = s->n};
    eng_gemm_run(&gemm, NULL, stack->activation, stack->pool);
}

/* Rows of B scaled and added: the inner loop runs along memory. Signed integers share the unsigned
 * ones' bits; WIDE is a type in which the product is no undefined behaviour. */
#define DEFINE_PRODUCT(NAME, TYPE, WIDE)                                                  \
    static void NAME(const struct stack *stack, const void *a_, const void *b_, void *c_) \
    {                                                                                     \
        const struct eng_matmul *s = stack->matmul;                                       \
        const TYPE *a = a_, *b = b_;                                                      \
        TYPE *c = c_;                                                                     \
        memset(c, 0, s->m * s->n * sizeof *c);                                            \
        for (size_t i = 0; i < s->m; i++, c += s->n)                                      \
            for (size_t x = 0; x < s->k; x++)                                             \
                for (size_t j = 0; j < s->n; j++)                                         \
                    c[j] = (TYPE)(c[j] + (WIDE)a[i * s->k + x] * (WIDE)b[x * s->n + j]);  \
    }

DEFINE_PRODUCT(product_double, double, double)
DEFINE_PRODUCT(product_8, uint8_t, uint32_t)
DEFINE_PRODUCT(product_16, uint16_t, uint32_t)
DEFINE_PRODUCT(product_32, uint32_t, uint32_t)
DEFINE_PRODUCT(product_64, uint64_t, uint64_t)

typedef void product_fn(const struct stack *stack, const void *a, const void *b, void *c);

static product_fn *product_for(enum eng_dtype dtype)
{
    switch (dtype) {
    case ENG_FLOAT32:
        return product_float;
    case ENG_FLOAT64:
        return product_double;
    case ENG_INT8:
    case ENG_UINT8:
        return product_8;
    case ENG_INT16:
    case ENG_UINT16:
        return product_16;
    case ENG_INT32:
    case ENG_UINT32:
        return product_32;
    case ENG_INT64:
    case ENG_UINT64:
        return product_64;
    default:
        return NULL;
    }
}

bool eng_matmul_takes(enum eng_dtype dtype)
{
    return product_for(dtype) != NULL;
}

const char *eng_matmul_algorithm(enum eng_dtype dtype)
{
    return dtype == ENG_FLOAT32 ? "product" : "plain loops";
}

static void run_matrices(void *ctx, size_t begin, size_t end)
{
    const struct stack *stack = ctx;
    const struct eng_matmul *s = stack->matmul;
    size_t bytes = eng_dtype_bytes(stack->dtype);
    product_fn *product = product_for(stack->dtype);
    for (size_t i = begin; i < end; i++) {
        struct eng_broadcast_at at = eng_broadcast_at(&s->batches, i);
        product(stack, stack->a + at.a * s->m * s->k * bytes, stack->b + at.b * s->k * s->n * bytes,
                stack->c + i * s->m * s->n * bytes);
    }
}

/* Several matrices: each to one thread, as many in a row as make the thread worth waking. A large
 * one alone is spread over the pool from inside. */
void eng_matmul_forward(const struct eng_matmul *s, enum eng_dtype dtype, const void *a,
                        const void *b, struct eng_activation activation, void *c,
                        struct eng_pool *pool)
{
    struct stack stack = {
        .matmul = s, .dtype = dtype, .a = a, .b = b, .activation = activation, .c = c};
    if (s->batches.count == 1) stack.pool = pool;
    double flops = 2 * (double)s->m * (double)s->n * (double)s->k;
    eng_share(pool, s->batches.count, flops, 0, run_matrices, &stack);
}

/* A gradient that is to be written: by the product itself if there is one, else zeroed to be added
 * to. Returns whether the product adds. n: elements of the gradient. */
static bool begin_gradient(const struct eng_matmul *s, float *gradient, bool write, size_t n)
{
    if (!write) return true;
    if (s->batches.count == 1) return false;
    if (gradient) memset(gradient, 0, n * sizeof *gradient);
    return true;
}

/* Matrices of one side: those that a repeated step does not come back to. */
static size_t n_matrices(const struct eng_broadcast *batches, const size_t *steps)
{
    size_t n = 1;
    for (int d = 0; d < batches->rank; d++)
        if (steps[d]) n *= batches->dim[d];
    return n;
}

void eng_matmul_backward(const struct eng_matmul *s, const struct eng_matmul_gradients *g,
                         struct eng_pool *pool)
{
    struct eng_gemm for_a = {.trans_b = true, .m = s->m, .n = s->k, .k = s->n};
    struct eng_gemm for_b = {.trans_a = true, .m = s->k, .n = s->n, .k = s->m};
    for_a.lda = for_a.ldb = for_b.ldb = for_b.ldc = s->n;
    for_a.ldc = for_b.lda = s->k;
    for_a.accumulate = begin_gradient(s, g->da, g->write_da,
                                      n_matrices(&s->batches, s->batches.step_a) * s->m * s->k);
    for_b.accumulate = begin_gradient(s, g->db, g->write_db,
                                      n_matrices(&s->batches, s->batches.step_b) * s->k * s->n);
    for (size_t i = 0; i < s->batches.count; i++) {
        struct eng_broadcast_at at = eng_broadcast_at(&s->batches, i);
        for_a.a = for_b.b = g->dc + i * s->m * s->n;
        for_a.b = g->b + at.b * s->k * s->n;
        for_b.a = g->a + at.a * s->m * s->k;
        if (g->da) {
            for_a.c = g->da + at.a * s->m * s->k;
            eng_gemm_run(&for_a, NULL, none, pool);
        }
        if (g->db) {
            for_b.c = g->db + at.b * s->k * s->n;
            eng_gemm_run(&for_b, NULL, none, pool);
        }
    }
}
