#include "kernels/global_pooling.h"

#include "base/share.h"
#include "kernels/dispatch.h"

#include <math.h>
#include <string.h>

struct planes {
    const struct eng_global_pool *g;
    const void *x;
    void *y;
};

/* NaN on either side is the result. */
#define DEFINE_PLANES(SUFFIX, TYPE, SUM, ABS, ROOT, POWER)                            \
    static void max_##SUFFIX(void *ctx, size_t begin, size_t end)                     \
    {                                                                                 \
        const struct planes *p = ctx;                                                 \
        size_t n = p->g->n_pixels;                                                    \
        for (size_t plane = begin; plane < end; plane++) {                            \
            const TYPE *x = (const TYPE *)p->x + plane * n;                           \
            TYPE best = x[0];                                                         \
            for (size_t i = 1; i < n; i++)                                            \
                best = (!(x[i] <= best) & (best == best)) ? x[i] : best;              \
            ((TYPE *)p->y)[plane] = best;                                             \
        }                                                                             \
    }                                                                                 \
    static void mean_##SUFFIX(void *ctx, size_t begin, size_t end)                    \
    {                                                                                 \
        const struct planes *p = ctx;                                                 \
        size_t n = p->g->n_pixels;                                                    \
        for (size_t plane = begin; plane < end; plane++)                              \
            ((TYPE *)p->y)[plane] = SUM((const TYPE *)p->x + plane * n, n) / (TYPE)n; \
    }                                                                                 \
    static void norm_##SUFFIX(void *ctx, size_t begin, size_t end)                    \
    {                                                                                 \
        const struct planes *p = ctx;                                                 \
        size_t n = p->g->n_pixels;                                                    \
        TYPE power = (TYPE)p->g->p;                                                   \
        for (size_t plane = begin; plane < end; plane++) {                            \
            const TYPE *x = (const TYPE *)p->x + plane * n;                           \
            TYPE sum = 0;                                                             \
            for (size_t i = 0; i < n; i++)                                            \
                sum += power == 1   ? ABS(x[i])                                       \
                       : power == 2 ? x[i] * x[i]                                     \
                                    : POWER(ABS(x[i]), power);                        \
            ((TYPE *)p->y)[plane] = power == 1   ? sum                                \
                                    : power == 2 ? ROOT(sum)                          \
                                                 : POWER(sum, 1 / power);             \
        }                                                                             \
    }

static float sum_float(const float *x, size_t n)
{
    return eng_kernels()->sum(x, 0, n);
}

static double sum_double(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

DEFINE_PLANES(float, float, sum_float, fabsf, sqrtf, powf)
DEFINE_PLANES(double, double, sum_double, fabs, sqrt, pow)

static void run(const struct eng_global_pool *g, eng_loop_fn *of_floats, eng_loop_fn *of_doubles,
                const void *x, void *y, struct eng_pool *pool)
{
    struct planes planes = {.g = g, .x = x, .y = y};
    eng_share(pool, g->n_planes, (double)g->n_pixels, 4 * (double)g->n_pixels,
              g->dtype == ENG_FLOAT32 ? of_floats : of_doubles, &planes);
}

void eng_global_max_forward(const struct eng_global_pool *g, const void *x, void *y,
                            struct eng_pool *pool)
{
    run(g, max_float, max_double, x, y, pool);
}

void eng_global_mean_forward(const struct eng_global_pool *g, const void *x, void *y,
                             struct eng_pool *pool)
{
    run(g, mean_float, mean_double, x, y, pool);
}

void eng_global_norm_forward(const struct eng_global_pool *g, const void *x, void *y,
                             struct eng_pool *pool)
{
    run(g, norm_float, norm_double, x, y, pool);
}

void eng_global_max_backward(const struct eng_global_pool *g, const float *x, const float *y,
                             const float *dy, float *dx, bool write)
{
    if (write) memset(dx, 0, g->n_planes * g->n_pixels * sizeof *dx);
    for (size_t plane = 0; plane < g->n_planes; plane++, x += g->n_pixels, dx += g->n_pixels) {
        size_t i = 0;
        while (i < g->n_pixels && x[i] != y[plane])
            i++;
        if (i < g->n_pixels) dx[i] += dy[plane];
    }
}

void eng_global_mean_backward(const struct eng_global_pool *g, const float *dy, float *dx,
                              bool write)
{
    for (size_t plane = 0; plane < g->n_planes; plane++, dx += g->n_pixels) {
        float share = dy[plane] / (float)g->n_pixels;
        for (size_t i = 0; i < g->n_pixels; i++)
            dx[i] = write ? share : dx[i] + share;
    }
}

/* d|x|_p / dx = sign(x) (|x| / |x|_p)^(p - 1); 0 where all is 0. */
void eng_global_norm_backward(const struct eng_global_pool *g, const float *x, const float *y,
                              const float *dy, float *dx, bool write)
{
    if (write) memset(dx, 0, g->n_planes * g->n_pixels * sizeof *dx);
    for (size_t plane = 0; plane < g->n_planes; plane++, x += g->n_pixels, dx += g->n_pixels) {
        for (size_t i = 0; y[plane] != 0 && i < g->n_pixels; i++)
            if (x[i] != 0)
                dx[i] += dy[plane] * copysignf(powf(fabsf(x[i]) / y[plane], (float)g->p - 1), x[i]);
    }
}
