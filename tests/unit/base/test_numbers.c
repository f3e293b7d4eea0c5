/* Random numbers, half floats, SHA-256: against reference values, formulas and statistics. */
#include "base/digest.h"
#include "base/half.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* xoshiro256** from the state 1, 2, 3, 4: the values that the reference code prints. */
static void rng_is_xoshiro256starstar(void **state)
{
    (void)state;
    static const uint64_t wanted[] = {11520U, 0U, 1509978240U, 1215971899390074240U};
    struct eng_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < 4; i++)
        assert_true(eng_rng_u64(&rng) == wanted[i]);
}

static void rng_repeats_and_streams_differ(void **state)
{
    (void)state;
    struct eng_rng a, b;
    for (uint64_t seed = 0; seed < 50; seed++) {
        eng_rng_init(&a, seed, 3);
        eng_rng_init(&b, seed, 3);
        for (int i = 0; i < 100; i++)
            assert_true(eng_rng_u64(&a) == eng_rng_u64(&b));
    }
    /* 64 x 64 neighbouring seeds and streams: all first numbers differ, also seed against stream.
     */
    static uint64_t first[64 * 64];
    for (uint64_t i = 0; i < 64 * 64; i++) {
        eng_rng_init(&a, i / 64, i % 64);
        first[i] = eng_rng_u64(&a);
        for (uint64_t k = 0; k < i; k++)
            assert_true(first[k] != first[i]);
    }
}

/* The same on every machine: these were computed once and must never change, recipes depend on
 * them. */
static void rng_values_are_fixed(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 42, 7);
    assert_true(eng_rng_u64(&rng) == 0x77821aff7da2f029U);
    eng_rng_init(&rng, 42, 7);
    assert_true(eng_rng_normal(&rng) == 0x1.3b320ap+0F);
}

static void below_is_uniform(void **state)
{
    (void)state;
    enum { N = 200000, CELLS = 10 };
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    int counts[CELLS] = {0};
    for (int i = 0; i < N; i++) {
        uint64_t x = eng_rng_below(&rng, CELLS);
        assert_true(x < CELLS);
        counts[x]++;
    }
    double chi2 = 0;
    for (int i = 0; i < CELLS; i++)
        chi2 += pow(counts[i] - (double)N / CELLS, 2) / ((double)N / CELLS);
    assert_true(chi2 < 27.9); /* 9 degrees of freedom, p = 0.001 */
    for (int i = 0; i < 100; i++)
        assert_true(eng_rng_below(&rng, 1) == 0);
}

/* With n = 3/4 of the range a biased remainder would give the lower third of 2/3 twice as often. */
static void below_throws_the_excess_away(void **state)
{
    (void)state;
    const uint64_t n = 3ULL << 62;
    struct eng_rng rng;
    eng_rng_init(&rng, 9, 0);
    int low = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t x = eng_rng_below(&rng, n);
        assert_true(x < n);
        low += x < n / 3;
    }
    assert_in_range(low, 9700, 10300);
}

static void floats_are_uniform_in_0_to_1(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 2, 0);
    double sum = 0, sum2 = 0;
    for (int i = 0; i < 200000; i++) {
        float x = eng_rng_float(&rng);
        assert_true(x >= 0 && x < 1);
        sum += (double)x;
        sum2 += (double)x * (double)x;
    }
    assert_true(fabs(sum / 200000 - 0.5) < 0.003);
    assert_true(fabs(sum2 / 200000 - 1.0 / 3) < 0.003);
    struct eng_rng largest = {{0, UINT64_MAX, 0, 0}}; /* any state gives less than 1 */
    assert_true(eng_rng_float(&largest) < 1);
}

static void normals_have_mean_0_and_variance_1(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct eng_rng rng;
    eng_rng_init(&rng, 3, 0);
    double sum = 0, sum2 = 0, sum4 = 0;
    int within_1 = 0;
    for (int i = 0; i < N; i++) {
        double x = (double)eng_rng_normal(&rng);
        assert_true(isfinite(x));
        sum += x;
        sum2 += x * x;
        sum4 += x * x * x * x;
        within_1 += fabs(x) < 1;
    }
    assert_true(fabs(sum / N) < 0.01);
    assert_true(fabs(sum2 / N - 1) < 0.02);
    assert_true(fabs(sum4 / N - 3) < 0.15);
    assert_true(fabs((double)within_1 / N - 0.6827) < 0.005);
}

static void shuffles_are_uniform_permutations(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 4, 0);
    uint32_t order[1000];
    eng_rng_shuffle(&rng, order, 1000);
    char seen[1000] = {0};
    for (size_t i = 0; i < 1000; i++)
        seen[order[i]]++;
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(seen[i], 1);
    int counts[27] = {0}; /* the 6 orders of three, at o0 * 9 + o1 * 3 + o2 */
    for (int i = 0; i < 60000; i++) {
        eng_rng_shuffle(&rng, order, 3);
        counts[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    static const int places[] = {5, 7, 11, 15, 19, 21};
    for (size_t i = 0; i < 6; i++)
        assert_in_range(counts[places[i]], 9600, 10400);
    order[0] = 77;
    eng_rng_shuffle(&rng, order, 0);
    assert_int_equal(order[0], 77);
}

/* All 65,536 halves against (-1)^s x 2^(e - 15) x 1.f, or x 2^-14 x 0.f. */
static void halves_widen_exactly(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 65536; h++) {
        float got = eng_half_to_float((uint16_t)h);
        int exponent = h >> 10 & 31;
        double fraction = (h & 1023) / 1024.0;
        assert_int_equal(!!signbit(got), h >> 15);
        if (exponent == 31) {
            assert_int_equal(!!isnan(got), fraction != 0);
            assert_int_equal(!!isinf(got), fraction == 0);
        } else {
            double magnitude = exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14);
            assert_true(fabs((double)got) == magnitude);
        }
    }
}

/* FIPS 180-4's own examples. */
static void digests_are_sha256(void **state)
{
    (void)state;
    char hex[ENG_DIGEST_CHARS];
    eng_digest_sha256("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    eng_digest_sha256("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    eng_digest_sha256(two_blocks, strlen(two_blocks), hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng_is_xoshiro256starstar),
        cmocka_unit_test(rng_repeats_and_streams_differ),
        cmocka_unit_test(rng_values_are_fixed),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(below_throws_the_excess_away),
        cmocka_unit_test(floats_are_uniform_in_0_to_1),
        cmocka_unit_test(normals_have_mean_0_and_variance_1),
        cmocka_unit_test(shuffles_are_uniform_permutations),
        cmocka_unit_test(halves_widen_exactly),
        cmocka_unit_test(digests_are_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
