#include "api/ranking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { N_CLASSES = 100 };

/* How many classes come before class i. */
static size_t place_of(const float *probabilities, size_t i)
{
    size_t n = 0;
    for (size_t k = 0; k < N_CLASSES; k++)
        n += probabilities[k] > probabilities[i] || (probabilities[k] == probabilities[i] && k < i);
    return n;
}

/* Few and many go different ways. */
static void check_all_tops(const float *probabilities)
{
    for (size_t n_top = 1; n_top <= N_CLASSES; n_top++) {
        struct srv_ranked ranked[N_CLASSES];
        srv_rank(probabilities, N_CLASSES, n_top, ranked);
        for (size_t i = 0; i < n_top; i++) {
            assert_true(ranked[i].index < N_CLASSES);
            assert_int_equal(place_of(probabilities, ranked[i].index), i);
            assert_true(ranked[i].probability == probabilities[ranked[i].index]);
        }
    }
}

static void ranks_any_order(void **state)
{
    (void)state;
    float probabilities[N_CLASSES];
    for (size_t i = 0; i < N_CLASSES; i++)
        probabilities[i] = (float)(i * 37 % N_CLASSES);
    check_all_tops(probabilities);
    for (size_t i = 0; i < N_CLASSES; i++)
        probabilities[i] = (float)i - 50;
    check_all_tops(probabilities);
    for (size_t i = 0; i < N_CLASSES; i++)
        probabilities[i] = -(float)i;
    check_all_tops(probabilities);
}

static void of_equal_ones_the_lower_index_is_first(void **state)
{
    (void)state;
    float probabilities[N_CLASSES] = {0};
    check_all_tops(probabilities);
    for (size_t i = 0; i < N_CLASSES; i++)
        probabilities[i] = (float)(i * 7 % 3);
    check_all_tops(probabilities);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_any_order),
        cmocka_unit_test(of_equal_ones_the_lower_index_is_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
