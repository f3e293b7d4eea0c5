/* Views: where a chain of steps says that elements lie, and where steps that move them put them. */
#include "ops/view.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 1 << 12 };

/* Places in the first tensor, in the order of the present one. */
struct moved {
    struct eng_shape shape;
    size_t n, at[MOST];
};

static void begin(struct moved *m, const struct eng_shape *shape)
{
    m->shape = *shape;
    m->n = (size_t)eng_shape_count(shape);
    assert_true(m->n <= MOST);
    for (size_t i = 0; i < m->n; i++)
        m->at[i] = i;
}

static void digits(const struct eng_shape *shape, size_t i, int64_t *out)
{
    for (int d = shape->rank - 1; d >= 0; d--) {
        out[d] = (int64_t)i % shape->dim[d];
        i /= (size_t)shape->dim[d];
    }
}

static size_t number(const struct eng_shape *shape, const int64_t *digit)
{
    size_t i = 0;
    for (int d = 0; d < shape->rank; d++)
        i = i * (size_t)shape->dim[d] + (size_t)digit[d];
    return i;
}

static void move(struct moved *m, const struct eng_view_step *s)
{
    struct moved old = *m;
    int64_t to[ENG_MAX_RANK], from[ENG_MAX_RANK];
    if (s->kind == ENG_VIEW_RESHAPE) {
        m->shape.rank = s->rank;
        memcpy(m->shape.dim, s->v, sizeof m->shape.dim);
        return;
    }
    for (int d = 0; s->kind == ENG_VIEW_TRANSPOSE && d < s->rank; d++)
        m->shape.dim[d] = old.shape.dim[s->v[d]];
    if (s->kind == ENG_VIEW_CUT) m->shape.dim[s->axis] = s->count;
    m->n = (size_t)eng_shape_count(&m->shape);
    for (size_t i = 0; i < m->n; i++) {
        digits(&m->shape, i, to);
        for (int d = 0; d < m->shape.rank; d++) {
            if (s->kind == ENG_VIEW_TRANSPOSE)
                from[s->v[d]] = to[d];
            else
                from[d] = to[d] + (d == s->axis ? s->start : 0);
        }
        m->at[i] = old.at[number(&old.shape, from)];
    }
}

/* Where the view has its element i. */
static size_t place(const struct eng_view *view, const struct eng_shape *shape, size_t i)
{
    int64_t digit[ENG_MAX_RANK];
    size_t at = view->offset;
    digits(shape, i, digit);
    for (int d = 0; d < view->rank; d++) {
        size_t rest = (size_t)digit[d];
        for (int k = view->end[d] - 1; k >= (d == 0 ? 0 : view->end[d - 1]); k--) {
            at += rest % view->factors[k].n * view->factors[k].step;
            rest /= view->factors[k].n;
        }
        assert_int_equal(rest, 0);
    }
    return at;
}

static void check(const struct eng_shape *shape, const struct eng_view_chain *chain)
{
    static struct moved m;
    struct eng_view view;
    struct eng_shape found;
    bool cuts = false;
    begin(&m, shape);
    for (int i = 0; i < chain->n; i++) {
        cuts = cuts || chain->steps[i].kind == ENG_VIEW_CUT;
        move(&m, &chain->steps[i]);
    }
    assert_true(eng_view_whole(shape, &view));
    if (!eng_view_follow(chain, &view)) return; /* not every chain has a view */
    assert_true(eng_view_shape(chain, shape, &found));
    assert_true(eng_shape_equal(&found, &m.shape));
    for (int d = 0; d < view.rank; d++)
        assert_int_equal(eng_view_dim(&view, d), m.shape.dim[d]);
    for (size_t i = 0; i < m.n; i++)
        assert_int_equal(place(&view, &m.shape, i), m.at[i]);
    assert_int_equal(eng_view_backwards(chain, shape, &view), !cuts);
    for (size_t i = 0; !cuts && i < m.n; i++)
        assert_int_equal(place(&view, shape, m.at[i]), i);
}

static int below(struct eng_rng *rng, int n)
{
    return (int)eng_rng_below(rng, (uint32_t)n);
}

static struct eng_view_step random_step(struct eng_rng *rng, const struct eng_shape *shape)
{
    struct eng_view_step s = {.kind = (enum eng_view_kind)below(rng, 3), .rank = shape->rank};
    for (int d = 0; d < s.rank; d++)
        s.v[d] = s.kind == ENG_VIEW_TRANSPOSE ? d : shape->dim[d];
    for (int d = s.rank - 1; s.kind == ENG_VIEW_TRANSPOSE && d > 0; d--) {
        int other = below(rng, d + 1);
        int64_t kept = s.v[d];
        s.v[d] = s.v[other];
        s.v[other] = kept;
    }
    if (s.kind == ENG_VIEW_RESHAPE && s.rank > 1 && below(rng, 2)) { /* two become one */
        int d = below(rng, s.rank - 1);
        s.v[d] *= s.v[d + 1];
        for (s.rank--; d + 1 < s.rank; d++)
            s.v[d + 1] = s.v[d + 2];
    } else if (s.kind == ENG_VIEW_RESHAPE && s.rank < 6) { /* one becomes two */
        int d = below(rng, s.rank), part = 1 + below(rng, 4);
        if (s.v[d] % part != 0) part = 1;
        for (int k = s.rank++; k > d + 1; k--)
            s.v[k] = s.v[k - 1];
        s.v[d + 1] = s.v[d] / part;
        s.v[d] = part;
    }
    if (s.kind == ENG_VIEW_CUT) {
        s.axis = below(rng, s.rank);
        s.start = below(rng, (int)shape->dim[s.axis]);
        s.count = 1 + below(rng, (int)(shape->dim[s.axis] - s.start));
    }
    return s;
}

static void random_chains(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 9, 0);
    for (int round = 0; round < 3000; round++) {
        struct eng_shape shape = {.rank = 1 + below(&rng, 4)}, now;
        for (int d = 0; d < shape.rank; d++)
            shape.dim[d] = 1 + below(&rng, 6);
        struct eng_view_chain chain = {0};
        now = shape;
        for (int n = below(&rng, 7); chain.n < n;) {
            struct eng_view_chain one = {.n = 1, .steps = {random_step(&rng, &now)}};
            chain.steps[chain.n++] = one.steps[0];
            assert_true(eng_view_shape(&one, &now, &now));
        }
        check(&shape, &chain);
    }
}

/* Heads of a sequence that comes first: 3 x 4 heads, of which the samples lie 24 apart. */
static void heads(void **state)
{
    (void)state;
    struct eng_shape x = {.rank = 3, .dim = {5, 3, 24}};
    struct eng_view_chain chain = {
        .n = 3,
        .steps = {{.kind = ENG_VIEW_CUT, .axis = 2, .start = 8, .count = 8},
                  {.kind = ENG_VIEW_RESHAPE, .rank = 3, .v = {5, -1, 2}},
                  {.kind = ENG_VIEW_TRANSPOSE, .rank = 3, .v = {1, 0, 2}}}};
    struct eng_view view;
    size_t step;
    assert_true(eng_view_whole(&x, &view) && eng_view_follow(&chain, &view));
    assert_int_equal(view.offset, 8);
    assert_false(eng_view_step(&view, 0, &step));
    assert_true(eng_view_step(&view, 1, &step));
    assert_int_equal(step, 72);
    assert_true(eng_view_step(&view, 2, &step));
    assert_int_equal(step, 1);
    chain.steps[1].v[1] = 12;
    check(&x, &chain);
}

static void refusals(void **state)
{
    (void)state;
    struct eng_shape x = {.rank = 2, .dim = {4, 6}}, y, none = {.rank = 2, .dim = {4, 0}};
    struct eng_view view;
    assert_false(eng_view_whole(&none, &view));
    assert_true(eng_view_whole(&x, &view));
    struct eng_view_chain chain = {.n = 1,
                                   .steps = {{.kind = ENG_VIEW_RESHAPE, .rank = 2, .v = {5, -1}}}};
    assert_false(eng_view_follow(&chain, &view) || eng_view_shape(&chain, &x, &y));
    chain.steps[0] = (struct eng_view_step){.kind = ENG_VIEW_RESHAPE, .rank = 1, .v = {23}};
    assert_false(eng_view_follow(&chain, &view) || eng_view_shape(&chain, &x, &y));
    chain.steps[0] =
        (struct eng_view_step){.kind = ENG_VIEW_CUT, .axis = 1, .start = 5, .count = 2};
    assert_false(eng_view_follow(&chain, &view));
    chain.steps[0] = (struct eng_view_step){.kind = ENG_VIEW_TRANSPOSE, .rank = 3, .v = {0, 2, 1}};
    assert_false(eng_view_follow(&chain, &view) || eng_view_shape(&chain, &x, &y));
    /* [6, 4] as 8 rows of 3: a border would fall between factors 4 and 6 that do not divide it */
    chain = (struct eng_view_chain){.n = 2,
                                    .steps = {{.kind = ENG_VIEW_TRANSPOSE, .rank = 2, .v = {1, 0}},
                                              {.kind = ENG_VIEW_RESHAPE, .rank = 2, .v = {8, 3}}}};
    assert_false(eng_view_follow(&chain, &view));
    assert_true(eng_view_shape(&chain, &x, &y));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_chains),
        cmocka_unit_test(heads),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
