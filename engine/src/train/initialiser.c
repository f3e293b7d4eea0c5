#include "train/initialiser.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum distribution { NORMAL, UNIFORM };

const char *const eng_initialiser_names[] = {
#define INITIALISER(name, distribution, scale, arrangement) #name,
#include "train/initialiser.def"
#undef INITIALISER
    NULL,
};

static const enum distribution distributions[] = {
#define INITIALISER(name, distribution, scale, arrangement) distribution,
#include "train/initialiser.def"
#undef INITIALISER
};

static const enum eng_arrangement arrangements[] = {
#define INITIALISER(name, distribution, scale, arrangement) ENG_ARRANGE_##arrangement,
#include "train/initialiser.def"
#undef INITIALISER
};

enum eng_arrangement eng_initialiser_arrangement(int kind)
{
    return arrangements[kind];
}

void eng_initialiser_fill(int kind, double given, double fan_in, double fan_out,
                          struct eng_rng *rng, float *weights, size_t n)
{
    const double scales[] = {
#define INITIALISER(name, distribution, scale, arrangement) scale,
#include "train/initialiser.def"
#undef INITIALISER
    };
    float scale = (float)scales[kind];
    for (size_t i = 0; i < n; i++)
        weights[i] = scale * (distributions[kind] == NORMAL ? eng_rng_normal(rng)
                                                            : 2 * eng_rng_float(rng) - 1);
}

void eng_initialiser_pass_on(float *weights, size_t n_groups, size_t n_outputs, size_t n_inputs,
                             size_t n_positions, size_t middle)
{
    size_t n_row = n_inputs * n_positions, n_passed = n_outputs < n_inputs ? n_outputs : n_inputs;
    for (size_t g = 0; g < n_groups; g++)
        for (size_t i = 0; i < n_passed; i++) {
            float *row = weights + (g * n_outputs + i) * n_row;
            memset(row, 0, n_row * sizeof *row);
            row[i * n_positions + middle] = 1;
        }
}

/* A vector inside a matrix. */
struct line {
    float *first;
    size_t n, step;
};

static double dot(struct line a, struct line b)
{
    double sum = 0;
    for (size_t i = 0; i < a.n; i++)
        sum += (double)a.first[i * a.step] * (double)b.first[i * b.step];
    return sum;
}

/* Takes from a what it has along b, which has length 1. */
static void subtract_along(struct line a, struct line b)
{
    float share = (float)dot(a, b);
    for (size_t i = 0; i < a.n; i++)
        a.first[i * a.step] -= share * b.first[i * b.step];
}

/* Gram-Schmidt, each line against those before it, twice against rounding. */
void eng_initialiser_orthogonalise(float *weights, size_t n_rows, size_t n_columns)
{
    bool by_rows = n_rows <= n_columns;
    size_t n_lines = by_rows ? n_rows : n_columns, n = by_rows ? n_columns : n_rows;
    size_t step = by_rows ? 1 : n_columns, between = by_rows ? n_columns : 1;
    for (size_t i = 0; i < n_lines; i++) {
        struct line line = {weights + i * between, n, step};
        for (size_t k = 0; k < 2 * i; k++)
            subtract_along(line, (struct line){weights + k % i * between, n, step});
        float scale = (float)(1 / sqrt(dot(line, line)));
        for (size_t k = 0; k < n; k++)
            line.first[k * step] *= scale;
    }
}
