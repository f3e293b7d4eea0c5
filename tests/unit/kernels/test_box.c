/* Boxes of elements between random ways of stepping, against one loop per element. */
#include "kernels/box.h"

#include "base/rng.h"
#include "engine/pool.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MAX_RANK = 5, ROOM = 1 << 16, N_BOXES = 300 };

/* Dimensions as they were pushed, before any joining. */
struct steps {
    int rank;
    int64_t dim[MAX_RANK];
    ptrdiff_t from[MAX_RANK], to[MAX_RANK];
    ptrdiff_t from_start, to_start;
    size_t n;
};

static size_t below(struct eng_rng *rng, size_t n)
{
    return (size_t)(eng_rng_float(rng) * (float)n) % n;
}

static void shuffle(struct eng_rng *rng, int *order, int n)
{
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int j = (int)below(rng, (size_t)i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

/* Steps through a tensor that holds the dimensions in some order, each `spread` apart, some of them
 * backwards. */
static ptrdiff_t random_side(struct eng_rng *rng, const struct steps *s, ptrdiff_t spread,
                             ptrdiff_t *step)
{
    int order[MAX_RANK];
    ptrdiff_t size = 1, start = 0;
    shuffle(rng, order, s->rank);
    for (int i = s->rank - 1; i >= 0; i--) {
        int d = order[i];
        bool backwards = below(rng, 8) == 0;
        step[d] = backwards ? -size : size;
        if (backwards) start += (s->dim[d] - 1) * size;
        size *= s->dim[d] * (below(rng, 4) == 0 ? spread : 1);
    }
    return start;
}

static struct steps random_steps(struct eng_rng *rng)
{
    static const int64_t dims[] = {1, 2, 3, 4, 7, 16, 17, 33, 70};
    struct steps s = {.rank = (int)below(rng, MAX_RANK + 1), .n = 1};
    for (int d = 0; d < s.rank; d++) {
        s.dim[d] = dims[below(rng, sizeof dims / sizeof dims[0])];
        if (s.n * (size_t)s.dim[d] > 4000) s.dim[d] = 1;
        s.n *= (size_t)s.dim[d];
    }
    s.from_start = random_side(rng, &s, 2, s.from);
    s.to_start = random_side(rng, &s, 2, s.to);
    return s;
}

static struct eng_box box_of(const struct steps *s)
{
    struct eng_box box = {.from_start = s->from_start, .to_start = s->to_start};
    for (int d = 0; d < s->rank; d++)
        eng_box_push(&box, s->dim[d], s->from[d], s->to[d]);
    return box;
}

/* Where element i lies on both sides. */
static void find(const struct steps *s, size_t i, size_t *from, size_t *to)
{
    ptrdiff_t a = s->from_start, b = s->to_start;
    for (int d = s->rank - 1; d >= 0; d--) {
        ptrdiff_t index = (ptrdiff_t)(i % (size_t)s->dim[d]);
        i /= (size_t)s->dim[d];
        a += index * s->from[d];
        b += index * s->to[d];
    }
    assert_true(a >= 0 && a < 4 * ROOM && b >= 0 && b < 4 * ROOM);
    *from = (size_t)a;
    *to = (size_t)b;
}

/* Any bytes; what no element goes to must stay as it is. */
static void check_copy(const struct steps *s, enum eng_dtype dtype, const uint8_t *from,
                       uint8_t *to, uint8_t *wanted, struct eng_pool *pool)
{
    size_t bytes = eng_dtype_bytes(dtype), n_bytes = 4 * ROOM * bytes;
    struct eng_box box = box_of(s);
    memset(to, 0x5a, n_bytes);
    memset(wanted, 0x5a, n_bytes);
    for (size_t i = 0; i < s->n; i++) {
        size_t a, b;
        find(s, i, &a, &b);
        memcpy(wanted + b * bytes, from + a * bytes, bytes);
    }
    eng_box_copy(&box, dtype, from, to, pool);
    assert_memory_equal(to, wanted, n_bytes);
}

static void copies_any_type(void **state)
{
    (void)state;
    static const enum eng_dtype dtypes[] = {ENG_FLOAT32, ENG_UINT8, ENG_INT16, ENG_INT32,
                                            ENG_FLOAT64};
    size_t n_bytes = 4 * ROOM * sizeof(double);
    uint8_t *from = malloc(n_bytes), *to = malloc(n_bytes), *wanted = malloc(n_bytes);
    assert_true(from && to && wanted);
    struct eng_rng rng;
    eng_rng_init(&rng, 11, 0);
    for (size_t i = 0; i < n_bytes; i++)
        from[i] = (uint8_t)below(&rng, 256);
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(2, &pool, NULL), ENG_OK);
    for (int i = 0; i < N_BOXES; i++) {
        struct steps s = random_steps(&rng);
        check_copy(&s, dtypes[(size_t)i % 5], from, to, wanted, i % 2 ? pool : NULL);
    }
    eng_pool_destroy(pool);
    free(from);
    free(to);
    free(wanted);
}

/* A side that repeats: its step is 0 along some dimensions. */
static void repeat_some(struct eng_rng *rng, const struct steps *s, ptrdiff_t *step)
{
    for (int d = 0; d < s->rank; d++)
        if (below(rng, 4) == 0) step[d] = 0;
}

static void adds_and_sums(void **state)
{
    (void)state;
    size_t n = 4 * ROOM;
    float *from = malloc(n * sizeof *from), *to = malloc(n * sizeof *to);
    double *wanted = malloc(n * sizeof *wanted);
    assert_true(from && to && wanted);
    struct eng_rng rng;
    eng_rng_init(&rng, 12, 0);
    for (size_t i = 0; i < n; i++)
        from[i] = eng_rng_float(&rng) - 0.5f;
    for (int round = 0; round < N_BOXES; round++) {
        struct steps s = random_steps(&rng);
        if (round % 2) repeat_some(&rng, &s, s.to);
        if (round % 3 == 0) repeat_some(&rng, &s, s.from);
        for (size_t i = 0; i < n; i++) {
            to[i] = 0.25f;
            wanted[i] = 0.25;
        }
        for (size_t i = 0; i < s.n; i++) {
            size_t a, b;
            find(&s, i, &a, &b);
            wanted[b] += (double)from[a];
        }
        struct eng_box box = box_of(&s);
        eng_box_add(&box, from, to, NULL);
        for (size_t i = 0; i < n; i++)
            assert_true(fabs((double)to[i] - wanted[i]) < 1e-3);
    }
    free(from);
    free(to);
    free(wanted);
}

static void back_is_the_inverse(void **state)
{
    (void)state;
    float x[6] = {1, 2, 3, 4, 5, 6}, y[6], again[6];
    struct eng_box box = {.rank = 0};
    eng_box_push(&box, 3, 1, 2);
    eng_box_push(&box, 2, 3, 1);
    struct eng_box back = eng_box_back(&box);
    eng_box_copy(&box, ENG_FLOAT32, x, y, NULL);
    eng_box_copy(&back, ENG_FLOAT32, y, again, NULL);
    assert_true(y[0] == 1 && y[1] == 4 && y[2] == 2 && y[5] == 6);
    assert_memory_equal(x, again, sizeof x);
}

static void joins_what_both_sides_walk_alike(void **state)
{
    (void)state;
    struct eng_box box = {.rank = 0};
    eng_box_push(&box, 1, 99, 99);
    eng_box_push(&box, 4, 30, 60);
    eng_box_push(&box, 5, 6, 12);
    eng_box_push(&box, 6, 1, 1);
    assert_int_equal(box.rank, 2);
    assert_int_equal(box.dim[0], 20);
    assert_int_equal(box.dim[1], 6);
}

static void nothing_is_moved_of_nothing(void **state)
{
    (void)state;
    float to = 7;
    struct eng_box box = {.rank = 0};
    eng_box_push(&box, 3, 0, 0);
    eng_box_push(&box, 0, 1, 1);
    eng_box_copy(&box, ENG_FLOAT32, NULL, &to, NULL);
    eng_box_add(&box, NULL, &to, NULL);
    assert_true(to == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_any_type),
        cmocka_unit_test(adds_and_sums),
        cmocka_unit_test(back_is_the_inverse),
        cmocka_unit_test(joins_what_both_sides_walk_alike),
        cmocka_unit_test(nothing_is_moved_of_nothing),
    };
    return cmocka_run_group_tests_name("box", tests, NULL, NULL);
}
