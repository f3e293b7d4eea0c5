#include "kernels/standardise.h"

#include "base/share.h"
#include "kernels/dispatch.h"

#include <math.h>

/* Elements of a row that lie together, and where their scale is. */
struct piece {
    size_t at;    /* in x */
    size_t scale; /* index of the first element's */
    size_t n;
};

static size_t n_pieces(const struct eng_standardise *s)
{
    return s->per_element || s->n == 0 ? 1 : s->n / s->run;
}

static struct piece piece_of(const struct eng_standardise *s, size_t row, size_t i)
{
    if (s->per_element)
        return (struct piece){.at = row * s->n, .scale = row * s->scale_row, .n = s->n};
    return (struct piece){.at = row * s->n + i * s->run,
                          .scale = (row * n_pieces(s) + i) % s->n_scales,
                          .n = s->n == 0 ? 0 : s->run};
}

/* --- forward --- */

enum { SUMMED_IN_FLOATS = 4096 };

/* Sums are floats within a piece of a row, doubles across pieces. */
static struct eng_standardise_row measure_float(const struct eng_standardise *s, const float *x)
{
    const struct eng_kernels *kernels = eng_kernels();
    float origin = x[0]; /* sums of distances from it stay small where the values are far from 0 */
    double sum = 0, squares = 0, n = (double)s->n;
    for (size_t i = 0; i < s->n; i += SUMMED_IN_FLOATS)
        sum += (double)kernels->sum(x + i, origin,
                                    s->n - i < SUMMED_IN_FLOATS ? s->n - i : SUMMED_IN_FLOATS);
    double mean = (double)origin + sum / n;
    for (size_t i = 0; i < s->n; i += SUMMED_IN_FLOATS)
        squares += (double)kernels->sum_squares(
            x + i, (float)mean, s->n - i < SUMMED_IN_FLOATS ? s->n - i : SUMMED_IN_FLOATS);
    return (struct eng_standardise_row){mean, 1 / sqrt(squares / n + s->epsilon)};
}

static struct eng_standardise_row measure_double(const struct eng_standardise *s, const double *x)
{
    double sum = 0, squares = 0, n = (double)s->n;
    for (size_t i = 0; i < s->n; i++)
        sum += x[i];
    for (size_t i = 0; i < s->n; i++)
        squares += (x[i] - sum / n) * (x[i] - sum / n);
    return (struct eng_standardise_row){sum / n, 1 / sqrt(squares / n + s->epsilon)};
}

struct forward {
    const struct eng_standardise *s;
    const void *x, *scale, *bias;
    void *y;
    struct eng_standardise_row *rows;
};

static void write_floats(const struct forward *f, const struct piece *p,
                         const struct eng_standardise_row *row)
{
    const float *x = (const float *)f->x + p->at, *scale = (const float *)f->scale + p->scale;
    const float *bias = f->bias ? (const float *)f->bias + p->scale : NULL;
    float *y = (float *)f->y + p->at;
    struct eng_normalisation t = {.mean = (float)row->mean, .factor = (float)row->inverse};
    if (f->s->per_element) {
        eng_kernels()->normalise_each(&t, scale, bias, x, y, p->n);
        return;
    }
    t.factor *= *scale;
    t.bias = bias ? *bias : 0;
    eng_kernels()->normalise(&t, x, y, p->n);
}

static void write_doubles(const struct forward *f, const struct piece *p,
                          const struct eng_standardise_row *row)
{
    const double *x = (const double *)f->x + p->at, *scale = (const double *)f->scale + p->scale;
    const double *bias = f->bias ? (const double *)f->bias + p->scale : NULL;
    double *y = (double *)f->y + p->at;
    size_t step = f->s->per_element;
    for (size_t i = 0; i < p->n; i++)
        y[i] = (x[i] - row->mean) * row->inverse * scale[i * step] + (bias ? bias[i * step] : 0);
}

static void float_rows(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    for (size_t row = begin; row < end; row++) {
        f->rows[row] = measure_float(f->s, (const float *)f->x + row * f->s->n);
        for (size_t i = 0; i < n_pieces(f->s); i++) {
            struct piece p = piece_of(f->s, row, i);
            write_floats(f, &p, &f->rows[row]);
        }
    }
}

static void double_rows(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    for (size_t row = begin; row < end; row++) {
        f->rows[row] = measure_double(f->s, (const double *)f->x + row * f->s->n);
        for (size_t i = 0; i < n_pieces(f->s); i++) {
            struct piece p = piece_of(f->s, row, i);
            write_doubles(f, &p, &f->rows[row]);
        }
    }
}

void eng_standardise_forward(const struct eng_standardise *s, enum eng_dtype dtype, const void *x,
                             const void *scale, const void *bias, void *y,
                             struct eng_standardise_row *rows, struct eng_pool *pool)
{
    struct forward f = {.s = s, .x = x, .scale = scale, .bias = bias, .y = y, .rows = rows};
    eng_share(pool, s->n_rows, 8 * (double)s->n, 12 * (double)s->n,
              dtype == ENG_FLOAT32 ? float_rows : double_rows, &f);
}

/* --- backward --- */

/* The row's sums of dy scale, and of that times z = (x - mean) / deviation. */
struct sums {
    double g, gz;
};

static void add_sums(const struct eng_standardise *s, const struct eng_standardise_gradients *g,
                     const struct piece *p, const struct eng_standardise_row *row,
                     struct sums *sums)
{
    size_t step = s->per_element;
    const float *scale = g->scale + p->scale;
    for (size_t i = 0; i < p->n; i++) {
        double z = ((double)g->x[p->at + i] - row->mean) * row->inverse;
        double dy = (double)g->dy[p->at + i], scaled = dy * (double)scale[i * step];
        sums->g += scaled;
        sums->gz += scaled * z;
        if (g->dscale) g->dscale[p->scale + i * step] += (float)(dy * z);
        if (g->dbias) g->dbias[p->scale + i * step] += (float)dy;
    }
}

/* dx = (dy scale - mean(dy scale) - z mean(dy scale z)) / deviation */
static void add_dx(const struct eng_standardise *s, const struct eng_standardise_gradients *g,
                   const struct piece *p, const struct eng_standardise_row *row,
                   const struct sums *sums)
{
    size_t step = s->per_element;
    const float *x = g->x + p->at, *dy = g->dy + p->at, *scale = g->scale + p->scale;
    float *dx = g->dx + p->at;
    float mean = (float)row->mean, inverse = (float)row->inverse;
    float shift = (float)(sums->g / (double)s->n);
    float slope = (float)(sums->gz / (double)s->n * row->inverse);
    for (size_t i = 0; i < p->n; i++) {
        float d = (dy[i] * scale[i * step] - shift - (x[i] - mean) * slope) * inverse;
        dx[i] = g->write_dx ? d : dx[i] + d;
    }
}

void eng_standardise_backward(const struct eng_standardise *s,
                              const struct eng_standardise_gradients *gradients)
{
    for (size_t row = 0; row < s->n_rows; row++) {
        struct sums sums = {0};
        for (size_t i = 0; i < n_pieces(s); i++) {
            struct piece p = piece_of(s, row, i);
            add_sums(s, gradients, &p, &gradients->rows[row], &sums);
        }
        for (size_t i = 0; gradients->dx && i < n_pieces(s); i++) {
            struct piece p = piece_of(s, row, i);
            add_dx(s, gradients, &p, &gradients->rows[row], &sums);
        }
    }
}
