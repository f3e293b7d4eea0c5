/* docs/theory.md: nearest neighbours. */
#include "kernels/distance.h"
#include "theory.h"
#include "worked.h"

#include <math.h>

static uint32_t distance(enum eng_distance kind, const uint8_t *a, const uint8_t *b, size_t n)
{
    uint32_t out;
    const struct eng_distance_block block = {.n_queries = 1,
                                             .n_references = 1,
                                             .n_features = n,
                                             .queries = a,
                                             .references = b,
                                             .out = &out};
    eng_distance_kernels()->run[kind](&block);
    return out;
}

static void the_two_distances_do_not_agree(void **state)
{
    static const uint8_t query[4] = {56, 231, 24, 2};
    static const uint8_t references[2][4] = {{50, 200, 40, 10}, {104, 231, 24, 4}};
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *r = references[i];
        theory_says(state, "| (%u, %u, %u, %u) | %d, %d, %d, %d | %u | %.1f |", r[0], r[1], r[2],
                    r[3], abs(query[0] - r[0]), abs(query[1] - r[1]), abs(query[2] - r[2]),
                    abs(query[3] - r[3]), distance(ENG_DISTANCE_L1, query, r, 4),
                    sqrt(distance(ENG_DISTANCE_L2, query, r, 4)));
    }
}

enum { SIDE = 32, CHANNELS = 3, NUMBERS = SIDE * SIDE * CHANNELS };

static void the_background_dominates(void **state)
{
    static uint8_t picture[NUMBERS], brighter[NUMBERS], other[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++) {
        size_t row = i / (SIDE * CHANNELS), column = i / CHANNELS % SIDE;
        bool animal = row >= 12 && row < 20 && column >= 12 && column < 20;
        picture[i] = (uint8_t)(50 + i % 90);
        brighter[i] = (uint8_t)(picture[i] + 10);
        other[i] = (uint8_t)(picture[i] + (animal ? 100 : 0));
    }
    theory_says(state, "3072 x 10 = %u", distance(ENG_DISTANCE_L1, picture, brighter, NUMBERS));
    theory_says(state, "8 x 8 x 3 x 100 = %u", distance(ENG_DISTANCE_L1, picture, other, NUMBERS));
}

/* Labels of the five nearest: cat, cat, dog, cat, frog. The others are farther away. */
static void neighbours_vote(void **state)
{
    enum { N = 7, CAT = 0, DOG = 1, FROG = 2 };
    static const uint8_t references[N] = {10, 11, 12, 13, 14, 90, 91};
    static const int64_t labels[N] = {CAT, CAT, DOG, CAT, FROG, DOG, DOG};
    struct worked w;
    struct eng_error err = {0};
    worked_init(&w);
    int in[3] = {net_input(&w.net, "x", NET_SHAPE(-1, 1)),
                 net_constant(&w.net, "references", ENG_UINT8, NET_SHAPE(N, 1), references),
                 net_constant(&w.net, "labels", ENG_INT64, NET_SHAPE(N), labels)};
    const struct eng_attr k = {.name = "k", .type = ENG_ATTR_INT, .i = 5};
    const char *name = "y";
    if (eng_graph_add_node(&w.net.graph, "vote", "classifyd", "KNearest", 1, &k, 1, in, 3, &name, 1,
                           &err) != ENG_OK)
        fail_msg("%s", err.text);
    int y = eng_graph_find(&w.net.graph, "y");
    net_output(&w.net, y);
    assert_int_equal(eng_plan_create(&w.net.graph, ENG_PLAN_INFERENCE, 1, false, &w.plan, NULL),
                     ENG_OK);
    assert_int_equal(eng_exec_create(&w.net.graph, w.plan->arena_bytes, NULL, &w.exec, NULL),
                     ENG_OK);
    eng_exec_bind(w.exec, w.plan);
    *(float *)eng_exec_value(w.exec, in[0])->data = 9;
    eng_exec_forward(w.exec, 0);
    theory_says(state, "cat with 3/5 = %.1f", (double)worked_value(&w, y)[CAT]);
    worked_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_distances_do_not_agree),
        cmocka_unit_test(the_background_dominates),
        cmocka_unit_test(neighbours_vote),
    };
    return cmocka_run_group_tests(tests, theory_open, theory_close);
}
