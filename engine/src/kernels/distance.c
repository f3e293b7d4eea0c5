/* Which kernel runs here, the kernels for any CPU, and queries that are no bytes. */
#include "kernels/distance_kernels.h"

#include "kernels/dispatch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool always(void)
{
    return true;
}

static const struct eng_distance_kernels rows[] = {
#ifdef ENG_X86
    {"avx512", eng_distance_has_vnni, {eng_distance_l1_avx512, eng_distance_l2_vnni}, ENG_CPU_VNNI},
    {"avx512", eng_distance_has_avx512, {eng_distance_l1_avx512, eng_distance_l2_avx2}, 0},
    {"avx2", eng_distance_has_avx2, {eng_distance_l1_avx2, eng_distance_l2_avx2}, 0},
#endif
    {"portable", always, {eng_distance_l1_portable, eng_distance_l2_portable}, 0},
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

const struct eng_distance_kernels *eng_distance_kernels_at(size_t i)
{
    return i < N_ROWS ? &rows[i] : NULL;
}

const struct eng_distance_kernels *eng_distance_kernels(void)
{
    const char *name = eng_kernels()->name;
    size_t i = 0;
    while (i + 1 < N_ROWS && strcmp(rows[i].name, name) != 0)
        i++;
    while (!rows[i].runs_here() || (rows[i].features && !eng_kernels_have(rows[i].features)))
        i++;
    return &rows[i];
}

size_t eng_distance_max_features(enum eng_distance distance)
{
    return UINT32_MAX / (distance == ENG_DISTANCE_L1 ? 255 : 255 * 255);
}

/* Written so that compilers see a sum of absolute differences and a product of 16-bit numbers, for
 * which SSE2 and NEON have instructions. */

static uint32_t portable_l1(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint32_t sum = 0;
    for (size_t x = 0; x < n; x++)
        sum += (uint32_t)abs(a[x] - b[x]);
    return sum;
}

static uint32_t portable_l2(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint32_t sum = 0;
    for (size_t x = 0; x < n; x++) {
        int16_t apart = (int16_t)(a[x] - b[x]);
        sum += (uint32_t)(apart * apart);
    }
    return sum;
}

void eng_distance_l1_portable(const struct eng_distance_block *block)
{
    size_t n = block->n_features;
    for (size_t i = 0; i < block->n_queries; i++)
        for (size_t j = 0; j < block->n_references; j++)
            block->out[i * block->n_references + j] =
                portable_l1(block->queries + i * n, block->references + j * n, n);
}

void eng_distance_l2_portable(const struct eng_distance_block *block)
{
    size_t n = block->n_features;
    for (size_t i = 0; i < block->n_queries; i++)
        for (size_t j = 0; j < block->n_references; j++)
            block->out[i * block->n_references + j] =
                portable_l2(block->queries + i * n, block->references + j * n, n);
}

/* Four chains, so that the additions need not wait for each other. */
static double distance_of(enum eng_distance distance, const float *query, const uint8_t *reference,
                          size_t n)
{
    double sums[4] = {0};
    for (size_t x = 0; x < n; x++) {
        double apart = fabs((double)query[x] - reference[x]);
        sums[x % 4] += distance == ENG_DISTANCE_L1 ? apart : apart * apart;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void eng_distance_floats(enum eng_distance distance, const float *query, const uint8_t *references,
                         size_t n_references, size_t n_features, double *out)
{
    for (size_t j = 0; j < n_references; j++)
        out[j] = distance_of(distance, query, references + j * n_features, n_features);
}
