/* The inner loops of resampling against sums in 64 bits: the same pixels to the last bit. */
#include "base/rng.h"
#include "image/resample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MAX_SIDE = 90, MAX_ROW = 3 * MAX_SIDE + ENG_ROW_PADDING };

static uint8_t rounded(int64_t sum)
{
    int64_t value = (sum + (1 << (ENG_WEIGHT_FRACTION_BITS - 1))) >> ENG_WEIGHT_FRACTION_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Noise, or black and white, which make a cubic filter overshoot; rubbish behind the end. */
static void fill(struct eng_rng *rng, uint8_t *row, size_t n)
{
    bool extremes = eng_rng_below(rng, 2);
    for (size_t i = 0; i < n; i++) {
        uint32_t value = (uint32_t)eng_rng_below(rng, 256);
        row[i] = (uint8_t)(!extremes ? value : value < 128 ? 0 : 255);
    }
    for (size_t i = 0; i < ENG_ROW_PADDING; i++)
        row[n + i] = (uint8_t)eng_rng_below(rng, 256);
}

static struct eng_weights random_weights(struct eng_rng *rng, uint32_t n_in)
{
    static const enum eng_filter filters[] = {ENG_FILTER_BILINEAR, ENG_FILTER_BICUBIC,
                                              ENG_FILTER_NEAREST};
    const struct eng_sampling how = {.filter = filters[eng_rng_below(rng, 3)]};
    uint32_t n_resized = 1 + (uint32_t)eng_rng_below(rng, MAX_SIDE);
    uint32_t first = (uint32_t)eng_rng_below(rng, n_resized);
    const struct eng_axis axis = {n_in, n_resized, first,
                                  1 + (uint32_t)eng_rng_below(rng, n_resized - first)};
    struct eng_weights w;
    assert_int_equal(eng_weights_init(&w, &axis, &how, NULL), ENG_OK);
    return w;
}

static void along_a_row(void **state)
{
    const struct eng_resampling *loops = *state;
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    for (int round = 0; round < 2000; round++) {
        uint32_t n_channels = round % 2 ? 3 : 1, n_in = 1 + (uint32_t)eng_rng_below(&rng, MAX_SIDE);
        uint8_t row[MAX_ROW], got[MAX_ROW];
        fill(&rng, row, (size_t)n_in * n_channels);
        struct eng_weights w = random_weights(&rng, n_in);
        loops->along(row, &w, n_channels, got);
        for (uint32_t at = 0; at < w.n_out * n_channels; at++) {
            uint32_t i = at / n_channels, c = at % n_channels;
            int64_t sum = 0;
            for (uint32_t k = 0; k < w.n[i]; k++)
                sum += (int64_t)row[(w.begin[i] + k) * n_channels + c] *
                       w.weight[(size_t)i * w.stride + k];
            if (got[at] != rounded(sum))
                fail_msg("round %d, sample %u: %u, wanted %u", round, at, got[at], rounded(sum));
        }
        eng_weights_fini(&w);
    }
}

static void down_rows(void **state)
{
    const struct eng_resampling *loops = *state;
    struct eng_rng rng;
    eng_rng_init(&rng, 2, 0);
    static uint8_t rows[MAX_SIDE][MAX_ROW];
    for (int round = 0; round < 400; round++) {
        uint32_t n_in = 1 + (uint32_t)eng_rng_below(&rng, MAX_SIDE);
        size_t n = 1 + eng_rng_below(&rng, 3 * MAX_SIDE);
        for (uint32_t k = 0; k < n_in; k++)
            fill(&rng, rows[k], n);
        struct eng_weights w = random_weights(&rng, n_in);
        for (uint32_t out = 0; out < w.n_out; out++) {
            const int32_t *weight = w.weight + (size_t)out * w.stride;
            const uint8_t *taps[MAX_SIDE];
            for (uint32_t k = 0; k < w.n[out]; k++)
                taps[k] = rows[w.begin[out] + k];
            uint8_t got[MAX_ROW];
            memset(got, 77, sizeof got);
            loops->down(taps, weight, w.n[out], n, got);
            for (size_t i = 0; i < n; i++) {
                int64_t sum = 0;
                for (uint32_t k = 0; k < w.n[out]; k++)
                    sum += (int64_t)taps[k][i] * weight[k];
                if (got[i] != rounded(sum))
                    fail_msg("round %d, row %u, byte %zu: %u, wanted %u", round, out, i, got[i],
                             rounded(sum));
            }
            for (size_t i = n; i < sizeof got; i++)
                assert_int_equal(got[i], 77);
        }
        eng_weights_fini(&w);
    }
}

/* More taps than 16-bit parts of weights could be summed up from without wrapping around. */
static void thousands_of_taps(void **state)
{
    const struct eng_resampling *loops = *state;
    enum { N = 5000 };
    static uint8_t row[3 * N + ENG_ROW_PADDING];
    static const uint8_t *taps[N];
    memset(row, 255, sizeof row);
    const struct eng_axis axis = {N, 1, 0, 1};
    for (int filter = 0; filter < 2; filter++) {
        const struct eng_sampling how = {.filter = (enum eng_filter)filter};
        struct eng_weights w;
        assert_int_equal(eng_weights_init(&w, &axis, &how, NULL), ENG_OK);
        uint8_t got[3 + ENG_ROW_PADDING];
        for (uint32_t n_channels = 1; n_channels <= 3; n_channels += 2) {
            loops->along(row, &w, n_channels, got);
            for (uint32_t c = 0; c < n_channels; c++)
                assert_int_equal(got[c], 255);
        }
        for (uint32_t k = 0; k < w.n[0]; k++)
            taps[k] = row;
        loops->down(taps, w.weight, w.n[0], 3, got);
        for (int c = 0; c < 3; c++)
            assert_int_equal(got[c], 255);
        eng_weights_fini(&w);
    }
}

static int portable(void **state)
{
    *state = (void *)(uintptr_t)&eng_resampling_portable;
    return 0;
}

static int avx2(void **state)
{
    *state = (void *)(uintptr_t)eng_resampling_avx2();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(along_a_row),
        cmocka_unit_test(down_rows),
        cmocka_unit_test(thousands_of_taps),
    };
    int n_failed = cmocka_run_group_tests_name("portable", tests, portable, NULL);
    if (eng_resampling_avx2()) n_failed += cmocka_run_group_tests_name("AVX2", tests, avx2, NULL);
    return n_failed;
}
