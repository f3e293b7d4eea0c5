#include "kernels/integer_product.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/quantise.h"

#include <string.h>

enum { COLUMNS = 32 };

void eng_integer_widen(enum eng_dtype dtype, const void *from, size_t step, size_t n, int32_t zero,
                       int16_t *to)
{
    if (dtype == ENG_UINT8)
        for (size_t i = 0; i < n; i++)
            to[i] = (int16_t)(((const uint8_t *)from)[i * step] - zero);
    else
        for (size_t i = 0; i < n; i++)
            to[i] = (int16_t)(((const int8_t *)from)[i * step] - zero);
    memset(to + n, 0, (eng_integer_padded(n) - n) * sizeof *to);
}

void eng_integer_dot(const struct eng_integer_dot *dot)
{
    struct eng_integer_dot part = *dot;
    size_t done = 0;
    do {
        part.a = dot->a + done;
        part.b = dot->b + done;
        part.length = dot->length - done;
        if (part.length > ENG_INTEGER_DEPTH) part.length = ENG_INTEGER_DEPTH;
        part.accumulate = dot->accumulate || done > 0;
        eng_kernels()->integer_dot(&part);
        done += part.length;
    } while (done < dot->length);
}

bool eng_integer_matmul_scratch_bytes(const struct eng_integer_matmul *matmul, size_t *out)
{
    const struct eng_matmul *s = &matmul->shape;
    size_t n;
    return eng_add_size(s->m, s->n, &n) && eng_mul_size(n, eng_integer_padded(s->k), &n) &&
           eng_mul_size(n, sizeof(int16_t), out);
}

/* One matrix; B's columns are widened by whoever multiplies them. */
struct product {
    const struct eng_integer_matmul *matmul;
    const int16_t *a;
    int16_t *b;
    const char *b_bytes;
    const void *b_zeros;
    size_t first_column; /* among those of all of B's matrices */
    int32_t *c;
};

static int32_t zero_at(enum eng_dtype dtype, const void *zeros, size_t n, size_t i)
{
    return n == 0 ? 0 : eng_integer_at(dtype, zeros, i % n);
}

static void run_columns(void *ctx, size_t begin, size_t end)
{
    const struct product *p = ctx;
    const struct eng_matmul *s = &p->matmul->shape;
    size_t padded = eng_integer_padded(s->k);
    for (size_t block = begin; block < end; block++) {
        size_t first = block * COLUMNS, last = first + COLUMNS < s->n ? first + COLUMNS : s->n;
        for (size_t j = first; j < last; j++)
            eng_integer_widen(
                p->matmul->b_dtype, p->b_bytes + j, s->n, s->k,
                zero_at(p->matmul->b_dtype, p->b_zeros, p->matmul->n_b_zeros, p->first_column + j),
                p->b + j * padded);
        struct eng_integer_dot dot = {.n_rows = s->m,
                                      .n_columns = last - first,
                                      .length = padded,
                                      .a = p->a,
                                      .b = p->b + first * padded,
                                      .a_row = padded,
                                      .b_row = padded,
                                      .c = p->c + first,
                                      .c_row = s->n,
                                      .c_column = 1};
        eng_integer_dot(&dot);
    }
}

void eng_integer_matmul_run(const struct eng_integer_matmul *matmul,
                            const struct eng_integer_matmul_inputs *in, size_t i, int32_t *c,
                            void *scratch, struct eng_pool *pool)
{
    const struct eng_matmul *s = &matmul->shape;
    struct eng_broadcast_at at = eng_broadcast_at(&s->batches, i);
    size_t padded = eng_integer_padded(s->k);
    int16_t *a = scratch;
    if (s->m == 0 || s->n == 0) return;
    for (size_t row = 0; row < s->m; row++)
        eng_integer_widen(
            matmul->a_dtype, (const char *)in->a + (at.a * s->m + row) * s->k, 1, s->k,
            zero_at(matmul->a_dtype, in->a_zeros, matmul->n_a_zeros, at.a * s->m + row),
            a + row * padded);
    struct product product = {.matmul = matmul,
                              .a = a,
                              .b = a + s->m * padded,
                              .b_bytes = (const char *)in->b + at.b * s->k * s->n,
                              .b_zeros = in->b_zeros,
                              .first_column = at.b * s->n,
                              .c = c};
    double b = (double)s->k * COLUMNS;
    eng_share(pool, (s->n - 1) / COLUMNS + 1, (double)s->m * b, b, run_columns, &product);
}
