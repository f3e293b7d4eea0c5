#include "kernels/normalise_axes.h"

#include <math.h>

static const double DEVIATION_EPSILON = 1e-9;

/* Sums over the terms of one output, and what follows from them. */
struct group {
    double mean, sum; /* mean stays 0 but for the deviation */
    double factor;    /* 1 / norm; 0 where the norm is 0 */
    double dy, dy_y;  /* backward: sums of dy, of dy y */
};

struct pass {
    const struct eng_axes *axes;
    enum eng_norm norm;
    bool doubles, write;
    const void *x;
    const float *dy;
    void *y; /* dx in backward */
};

static double read(const struct pass *p, size_t i)
{
    return p->doubles ? ((const double *)p->x)[i] : (double)((const float *)p->x)[i];
}

/* What is done with element `at` of a group. */
typedef void visit_fn(const struct pass *p, struct group *group, size_t at);

static inline __attribute__((always_inline)) void each_term(const struct pass *p,
                                                            const struct eng_axes_tile *tile,
                                                            struct group *groups, visit_fn *visit)
{
    size_t n = eng_axes_length(p->axes, tile), step = p->axes->line_is_kept;
    struct eng_stepper line = eng_stepper_at(&p->axes->reduced, 0);
    for (size_t k = 0; k < p->axes->reduced.count; k++) {
        for (size_t i = 0; i < n; i++)
            visit(p, &groups[i * step], tile->offset + line.offset + i);
        eng_stepper_next(&line);
    }
}

static inline void add_value(const struct pass *p, struct group *group, size_t at)
{
    group->sum += read(p, at);
}

static inline void add_norm(const struct pass *p, struct group *group, size_t at)
{
    double x = read(p, at) - group->mean;
    group->sum += p->norm == ENG_NORM_L1 ? fabs(x) : x * x;
}

static double norm_of(const struct pass *p, double sum)
{
    if (p->norm == ENG_NORM_L1) return sum;
    if (p->norm == ENG_NORM_L2) return sqrt(sum);
    return sqrt(sum / (double)p->axes->n_terms) + DEVIATION_EPSILON;
}

static void measure(const struct pass *p, const struct eng_axes_tile *tile, struct group *groups)
{
    for (size_t i = 0; i < tile->width; i++)
        groups[i] = (struct group){0};
    if (p->norm == ENG_NORM_DEVIATION) {
        each_term(p, tile, groups, add_value);
        for (size_t i = 0; i < tile->width; i++) {
            groups[i].mean = groups[i].sum / (double)p->axes->n_terms;
            groups[i].sum = 0;
        }
    }
    each_term(p, tile, groups, add_norm);
    for (size_t i = 0; i < tile->width; i++) {
        double norm = norm_of(p, groups[i].sum);
        groups[i].factor = norm == 0 ? 0 : 1 / norm;
    }
}

static inline double normalised(const struct pass *p, const struct group *group, size_t at)
{
    return (read(p, at) - group->mean) * group->factor;
}

static inline void write_value(const struct pass *p, struct group *group, size_t at)
{
    double y = normalised(p, group, at);
    if (p->doubles)
        ((double *)p->y)[at] = y;
    else
        ((float *)p->y)[at] = (float)y;
}

static void forward_tile(void *ctx, const struct eng_axes_tile *tile)
{
    const struct pass *p = ctx;
    struct group groups[ENG_AXES_TILE];
    measure(p, tile, groups);
    each_term(p, tile, groups, write_value);
}

void eng_normalise_axes_forward(const struct eng_axes *axes, enum eng_norm norm,
                                enum eng_dtype dtype, const void *x, void *y, struct eng_pool *pool)
{
    struct pass p = {.axes = axes, .norm = norm, .doubles = dtype == ENG_FLOAT64, .x = x, .y = y};
    eng_axes_each_tile(axes, pool, forward_tile, &p);
}

static inline void add_gradient_sums(const struct pass *p, struct group *group, size_t at)
{
    double dy = (double)p->dy[at];
    group->dy += dy;
    group->dy_y += dy * normalised(p, group, at);
}

/* L2: (dy - y sum(dy y)) / norm; L1: (dy - sign(x) sum(dy y)) / norm;
 * deviation s: (dy - mean(dy)) / (s + epsilon) - y mean(dy y) / s. */
static inline void write_gradient(const struct pass *p, struct group *group, size_t at)
{
    double dy = (double)p->dy[at], x = read(p, at), y = normalised(p, group, at), d;
    if (p->norm == ENG_NORM_L1) {
        d = (dy - (x > 0 ? group->dy_y : x < 0 ? -group->dy_y : 0)) * group->factor;
    } else if (p->norm == ENG_NORM_L2) {
        d = (dy - y * group->dy_y) * group->factor;
    } else {
        double n = (double)p->axes->n_terms, s = sqrt(group->sum / n);
        d = (dy - group->dy / n) * group->factor - (s > 0 ? y * group->dy_y / n / s : 0);
    }
    float *dx = (float *)p->y + at;
    *dx = (float)(p->write ? d : (double)*dx + d);
}

static void backward_tile(void *ctx, const struct eng_axes_tile *tile)
{
    const struct pass *p = ctx;
    struct group groups[ENG_AXES_TILE];
    measure(p, tile, groups);
    each_term(p, tile, groups, add_gradient_sums);
    each_term(p, tile, groups, write_gradient);
}

void eng_normalise_axes_backward(const struct eng_axes *axes, enum eng_norm norm, const float *x,
                                 const float *dy, bool write, float *dx, struct eng_pool *pool)
{
    struct pass p = {.axes = axes, .norm = norm, .write = write, .x = x, .dy = dy, .y = dx};
    eng_axes_each_tile(axes, pool, backward_tile, &p);
}
