/* eng_place_blocks: nothing that lives at the same time overlaps, and the arena is not wasteful. */
#include "base/mem.h"
#include "base/rng.h"
#include "graph/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { MAX_BLOCKS = 200 };

static bool overlap(const struct eng_block *a, const struct eng_block *b)
{
    bool in_time = a->first <= b->last && b->first <= a->last;
    bool in_space = a->offset < b->offset + b->n_bytes && b->offset < a->offset + a->n_bytes;
    return in_time && in_space;
}

/* No arena can be smaller than what lives at the busiest step. */
static size_t busiest_step(const struct eng_block *blocks, size_t n, int n_steps)
{
    size_t most = 0;
    for (int step = 0; step < n_steps; step++) {
        size_t alive = 0;
        for (size_t i = 0; i < n; i++)
            if (blocks[i].first <= step && step <= blocks[i].last) alive += blocks[i].n_bytes;
        most = alive > most ? alive : most;
    }
    return most;
}

static size_t random_blocks(struct eng_rng *rng, struct eng_block *blocks, int n_steps)
{
    size_t n = 1 + eng_rng_below(rng, MAX_BLOCKS);
    for (size_t i = 0; i < n; i++) {
        blocks[i].first = (int)eng_rng_below(rng, (uint64_t)n_steps);
        int left = n_steps - blocks[i].first;
        blocks[i].last = blocks[i].first + (int)eng_rng_below(rng, (uint64_t)left);
        blocks[i].n_bytes = eng_rng_below(rng, 3) ? eng_rng_below(rng, 100000) : 0;
    }
    return n;
}

static void no_two_live_blocks_overlap(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    for (int round = 0; round < 200; round++) {
        struct eng_block blocks[MAX_BLOCKS + 1];
        size_t arena_bytes = 0, n = random_blocks(&rng, blocks, 50);
        assert_int_equal(eng_place_blocks(blocks, n, (size_t)1 << 40, &arena_bytes), ENG_OK);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(blocks[i].offset % ENG_ALIGN, 0);
            assert_true(blocks[i].offset + blocks[i].n_bytes <= arena_bytes);
            for (size_t j = i + 1; j < n; j++)
                assert_false(overlap(&blocks[i], &blocks[j]));
        }
        size_t least = busiest_step(blocks, n, 50);
        assert_true(arena_bytes >= least);
        assert_true(arena_bytes <= least + least / 2 + 4096);
    }
}

/* In a chain only two neighbours live at once. */
static void chain_takes_two_blocks(void **state)
{
    (void)state;
    struct eng_block blocks[10];
    for (int i = 0; i < 10; i++)
        blocks[i] = (struct eng_block){.first = i, .last = i + 1, .n_bytes = 640};
    size_t arena_bytes = 0;
    assert_int_equal(eng_place_blocks(blocks, 10, 1 << 20, &arena_bytes), ENG_OK);
    assert_int_equal(arena_bytes, 1280);
}

/* What lived long ago or comes later is not looked at: a tenth of a second; a look at every pair
 * would take minutes. */
static void long_chains_take_little_time(void **state)
{
    (void)state;
    enum { N = 300000 };
    struct eng_block *blocks = calloc(N, sizeof *blocks);
    assert_non_null(blocks);
    for (int i = 0; i < N; i++)
        blocks[i] = (struct eng_block){.first = i, .last = i + 1, .n_bytes = 64 * (size_t)(i % 7)};
    size_t arena_bytes = 0;
    clock_t start = clock();
    assert_int_equal(eng_place_blocks(blocks, N, 1 << 20, &arena_bytes), ENG_OK);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
    assert_true(arena_bytes >= 64 * 11 && arena_bytes <= 64 * 18);
    for (int i = 1; i < N; i++)
        assert_false(overlap(&blocks[i - 1], &blocks[i]));
    free(blocks);
}

/* Blocks that all live at once are more work than they are worth beyond some number. */
static void many_lasting_blocks_take_bounded_time(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct eng_block *blocks = calloc(N, sizeof *blocks);
    assert_non_null(blocks);
    for (int i = 0; i < N; i++)
        blocks[i] = (struct eng_block){.first = i / 2, .last = N, .n_bytes = 64};
    size_t arena_bytes = 0;
    clock_t start = clock();
    assert_int_equal(eng_place_blocks(blocks, N, (size_t)1 << 30, &arena_bytes), ENG_OK);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 20);
    assert_int_equal(arena_bytes, (size_t)N * 64);
    char *taken = calloc(N, 1);
    assert_non_null(taken);
    for (int i = 0; i < N; i++)
        assert_int_equal(taken[blocks[i].offset / 64]++, 0);
    free(taken);
    free(blocks);
}

static void refuses_what_exceeds_the_limit(void **state)
{
    (void)state;
    struct eng_block blocks[2] = {{.first = 0, .last = 1, .n_bytes = 1000},
                                  {.first = 1, .last = 1, .n_bytes = 1000}};
    size_t arena_bytes = 7;
    assert_int_equal(eng_place_blocks(blocks, 2, 1500, &arena_bytes), ENG_LIMIT);
    assert_int_equal(arena_bytes, 7);
    struct eng_block huge = {.first = 0, .last = 0, .n_bytes = (size_t)-1};
    assert_int_equal(eng_place_blocks(&huge, 1, 1 << 20, &arena_bytes), ENG_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_two_live_blocks_overlap),
                                       cmocka_unit_test(chain_takes_two_blocks),
                                       cmocka_unit_test(long_chains_take_little_time),
                                       cmocka_unit_test(many_lasting_blocks_take_bounded_time),
                                       cmocka_unit_test(refuses_what_exceeds_the_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
