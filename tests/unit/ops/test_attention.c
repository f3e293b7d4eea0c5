/* The kernel of attention against double precision. */
#include "kernels/attention.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Dense [samples, rows, heads, numbers]: as a projection of all heads leaves it. */
static struct eng_attention_place lies(size_t n_samples, size_t n_rows, size_t n_heads, size_t n)
{
    return (struct eng_attention_place){
        .n = 2, .dim = {n_samples, n_heads}, .step = {n_rows * n_heads * n, n}, .row = n_heads * n};
}

struct setting {
    size_t samples, heads, queries, keys, depth, width;
    int masks; /* 1: a row for all; 2: and one for each head and query, with -INFINITY */
};

struct arrays {
    struct eng_attention a;
    float *q, *k, *v, *y, *masks[2];
};

static float *numbers(uint64_t seed, size_t n, float spread)
{
    struct eng_rng rng;
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    eng_rng_init(&rng, 11, seed);
    for (size_t i = 0; i < n; i++)
        x[i] = spread * eng_rng_normal(&rng);
    return x;
}

static void begin(const struct setting *s, struct arrays *out)
{
    size_t all = s->samples * s->heads;
    *out = (struct arrays){.a = {.n_heads = all,
                                 .n_queries = s->queries,
                                 .n_keys = s->keys,
                                 .depth = s->depth,
                                 .width = s->width,
                                 .q = lies(s->samples, s->queries, s->heads, s->depth),
                                 .k = lies(s->samples, s->keys, s->heads, s->depth),
                                 .v = lies(s->samples, s->keys, s->heads, s->width),
                                 .y = lies(s->samples, s->queries, s->heads, s->width),
                                 .scale = 0.37f}};
    out->q = numbers(1, all * s->queries * s->depth, 1.5f);
    out->k = numbers(2, all * s->keys * s->depth, 1.5f);
    out->v = numbers(3, all * s->keys * s->width, 1);
    out->y = numbers(4, all * s->queries * s->width, 1);
    if (s->masks > 0) out->masks[0] = numbers(5, s->keys, 2);
    if (s->masks > 1) {
        out->a.masks[1] = (struct eng_attention_place){.n = 2,
                                                       .dim = {s->samples, s->heads},
                                                       .step = {0, s->queries * s->keys},
                                                       .row = s->keys};
        out->masks[1] = numbers(6, s->heads * s->queries * s->keys, 1);
        for (size_t i = 0; i < s->heads * s->queries * s->keys; i++)
            if (i % s->keys != 0 && i % 3 == 0) out->masks[1][i] = -INFINITY;
    }
}

static void end(struct arrays *x)
{
    free(x->q);
    free(x->k);
    free(x->v);
    free(x->y);
    free(x->masks[0]);
    free(x->masks[1]);
}

static void run(const struct arrays *x, struct eng_pool *pool)
{
    size_t n_bytes;
    assert_true(eng_attention_scratch_bytes(&x->a, &n_bytes));
    unsigned char *scratch = aligned_alloc(64, (n_bytes + 128) / 64 * 64);
    assert_non_null(scratch);
    memset(scratch, 0xff, n_bytes + 1); /* NaN, and a number behind it to stay */
    struct eng_attention_call call = {.q = x->q,
                                      .k = x->k,
                                      .v = x->v,
                                      .masks = {x->masks[0], x->masks[1]},
                                      .y = x->y,
                                      .scratch = scratch,
                                      .pool = pool};
    eng_attention_forward(&x->a, &call);
    assert_int_equal(scratch[n_bytes], 0xff);
    free(scratch);
}

/* Row i of a head, by the formula. */
static void reference(const struct setting *s, const struct arrays *x, size_t sample, size_t head,
                      size_t i, double *weights, double *y)
{
    double max = -INFINITY, sum = 0;
    for (size_t j = 0; j < s->keys; j++) {
        const float *q = x->q + ((sample * s->queries + i) * s->heads + head) * s->depth;
        const float *k = x->k + ((sample * s->keys + j) * s->heads + head) * s->depth;
        double score = 0;
        for (size_t d = 0; d < s->depth; d++)
            score += (double)q[d] * (double)k[d];
        score *= (double)0.37f;
        if (s->masks > 0) score += (double)x->masks[0][j];
        if (s->masks > 1) score += (double)x->masks[1][(head * s->queries + i) * s->keys + j];
        weights[j] = score;
        max = fmax(max, score);
    }
    memset(y, 0, s->width * sizeof *y);
    for (size_t j = 0; j < s->keys; j++)
        sum += weights[j] = exp(weights[j] - max);
    for (size_t j = 0; j < s->keys; j++)
        for (size_t d = 0; d < s->width; d++)
            y[d] += weights[j] / sum *
                    (double)x->v[((sample * s->keys + j) * s->heads + head) * s->width + d];
}

static void check(const struct setting *s)
{
    struct arrays x;
    double *weights = malloc(s->keys * sizeof *weights),
           *wanted = malloc(s->width * sizeof *wanted);
    assert_true(weights && wanted);
    begin(s, &x);
    run(&x, NULL);
    for (size_t row = 0; row < s->samples * s->queries * s->heads; row++) {
        size_t sample = row / s->heads / s->queries, i = row / s->heads % s->queries;
        reference(s, &x, sample, row % s->heads, i, weights, wanted);
        for (size_t d = 0; d < s->width; d++)
            if (!(fabs((double)x.y[row * s->width + d] - wanted[d]) < 2e-5))
                fail_msg("query %zu of head %zu of sample %zu, number %zu: %g, wanted %g", i,
                         row % s->heads, sample, d, (double)x.y[row * s->width + d], wanted[d]);
    }
    end(&x);
    free(weights);
    free(wanted);
}

static const struct setting settings[] = {
    {1, 1, 1, 1, 1, 1, 0},      {2, 3, 5, 7, 4, 6, 0},       {1, 2, 197, 197, 64, 64, 0},
    {2, 2, 49, 49, 32, 32, 2},  {1, 2, 17, 64, 16, 80, 1},   {1, 1, 3, 65, 130, 129, 2},
    {1, 1, 400, 33, 24, 16, 1}, {1, 1, 9, 4096, 8, 16, 0},   {3, 1, 16, 16, 15, 17, 2},
    {1, 5, 2, 130, 7, 3, 1},    {1, 1, 200, 1000, 12, 5, 2},
};

static void settings_of_all_sizes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        check(&settings[i]);
}

/* The same bits whatever the pool, and for a sample alone. */
static void same_bits(void **state)
{
    (void)state;
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        struct setting s = settings[i];
        struct arrays x, y, last;
        begin(&s, &x);
        begin(&s, &y);
        run(&x, NULL);
        run(&y, pool);
        size_t n = s.queries * s.heads * s.width;
        assert_memory_equal(x.y, y.y, s.samples * n * sizeof(float));
        size_t others = s.samples - 1;
        s.samples = 1;
        begin(&s, &last);
        memcpy(last.q, x.q + others * s.queries * s.heads * s.depth,
               s.queries * s.heads * s.depth * sizeof(float));
        memcpy(last.k, x.k + others * s.keys * s.heads * s.depth,
               s.keys * s.heads * s.depth * sizeof(float));
        memcpy(last.v, x.v + others * s.keys * s.heads * s.width,
               s.keys * s.heads * s.width * sizeof(float));
        run(&last, NULL);
        assert_memory_equal(last.y, x.y + others * n, n * sizeof(float));
        end(&x);
        end(&y);
        end(&last);
    }
    eng_pool_destroy(pool);
}

/* A query that is NaN spoils its own row, a value its own column of all rows; a row in which all is
 * masked is NaN, as softmax of it is. */
static void no_numbers(void **state)
{
    (void)state;
    struct setting s = {1, 1, 6, 9, 4, 5, 2};
    struct arrays x;
    begin(&s, &x);
    x.q[2 * 4] = NAN;
    x.v[3 * 5 + 1] = INFINITY;
    for (size_t j = 0; j < 9; j++)
        x.masks[1][4 * 9 + j] = -INFINITY;
    x.masks[1][3] = 0; /* so that the infinite value counts in row 0 */
    run(&x, NULL);
    for (size_t i = 0; i < 6; i++)
        for (size_t d = 0; d < 5; d++) {
            bool odd = i == 2 || i == 4 || d == 1;
            if (isfinite(x.y[i * 5 + d]) == odd)
                fail_msg("row %zu, number %zu is %g", i, d, (double)x.y[i * 5 + d]);
        }
    end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_all_sizes),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(no_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
