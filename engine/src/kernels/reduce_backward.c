#include "kernels/reduce.h"

#include <math.h>

/* What the gradients of one output's terms have in common. */
struct output {
    double y, dy;
    double product; /* PROD: of the terms that are not 0 */
    size_t n;       /* PROD: how many terms are 0; MAX, MIN: how many are y */
};

/* n terms that lie together: of output i each, if apart, else all of the first. */
struct line {
    const float *x;
    float *dx;
    bool write, apart;
    struct output *outputs;
    size_t n;
};

struct backward {
    const struct eng_axes *axes;
    enum eng_reduction what;
    const struct eng_reduce_gradients *g;
};

/* dy * d(output) / dx. */
static inline __attribute__((always_inline)) double slope(const enum eng_reduction what,
                                                          const struct output *o, double x)
{
    switch (what) {
    case ENG_REDUCE_SUM:
    case ENG_REDUCE_MEAN: /* dy is divided already */
        return o->dy;
    case ENG_REDUCE_PROD:
        return o->n == 0 ? o->dy * o->product / x : o->n == 1 && x == 0 ? o->dy * o->product : 0;
    case ENG_REDUCE_L1:
        return x > 0 ? o->dy : x < 0 ? -o->dy : 0;
    case ENG_REDUCE_L2:
        return o->y > 0 ? o->dy * x / o->y : 0;
    case ENG_REDUCE_SUM_SQUARE:
        return 2 * o->dy * x;
    case ENG_REDUCE_LOG_SUM:
        return o->dy * exp(-o->y);
    case ENG_REDUCE_LOG_SUM_EXP:
        return o->dy * exp(x - o->y);
    case ENG_REDUCE_MAX:
    case ENG_REDUCE_MIN:
        return x == o->y ? o->dy / (double)o->n : 0;
    }
    return 0;
}

static void observe_line(enum eng_reduction what, const struct line *line)
{
    for (size_t i = 0; i < line->n; i++) {
        struct output *o = &line->outputs[line->apart ? i : 0];
        double x = (double)line->x[i];
        if (what != ENG_REDUCE_PROD)
            o->n += x == o->y;
        else if (x == 0)
            o->n++;
        else
            o->product *= x;
    }
}

static inline __attribute__((always_inline)) void write_terms(const enum eng_reduction what,
                                                              const struct line *line)
{
    for (size_t i = 0; i < line->n; i++) {
        double d = slope(what, &line->outputs[line->apart ? i : 0], (double)line->x[i]);
        line->dx[i] = (float)(line->write ? d : (double)line->dx[i] + d);
    }
}

/* Each with its own loop, in which the reduction is known. */
static void write_line(enum eng_reduction what, const struct line *line)
{
    switch (what) {
    case ENG_REDUCE_SUM:
    case ENG_REDUCE_MEAN:
        write_terms(ENG_REDUCE_SUM, line);
        return;
    case ENG_REDUCE_PROD:
        write_terms(ENG_REDUCE_PROD, line);
        return;
    case ENG_REDUCE_L1:
        write_terms(ENG_REDUCE_L1, line);
        return;
    case ENG_REDUCE_L2:
        write_terms(ENG_REDUCE_L2, line);
        return;
    case ENG_REDUCE_SUM_SQUARE:
        write_terms(ENG_REDUCE_SUM_SQUARE, line);
        return;
    case ENG_REDUCE_LOG_SUM:
        write_terms(ENG_REDUCE_LOG_SUM, line);
        return;
    case ENG_REDUCE_LOG_SUM_EXP:
        write_terms(ENG_REDUCE_LOG_SUM_EXP, line);
        return;
    case ENG_REDUCE_MAX:
    case ENG_REDUCE_MIN:
        write_terms(ENG_REDUCE_MAX, line);
        return;
    }
}

static void each_line(const struct backward *b, const struct eng_axes_tile *tile,
                      struct output *outputs, void (*fn)(enum eng_reduction, const struct line *))
{
    struct eng_stepper at = eng_stepper_at(&b->axes->reduced, 0);
    for (size_t i = 0; i < b->axes->reduced.count; i++) {
        size_t offset = tile->offset + at.offset;
        struct line line = {.x = b->g->x + offset,
                            .dx = b->g->dx + offset,
                            .write = b->g->write,
                            .apart = b->axes->line_is_kept,
                            .outputs = outputs,
                            .n = eng_axes_length(b->axes, tile)};
        fn(b->what, &line);
        eng_stepper_next(&at);
    }
}

static void backward_tile(void *ctx, const struct eng_axes_tile *tile)
{
    const struct backward *b = ctx;
    struct output outputs[ENG_AXES_TILE];
    double share = b->what == ENG_REDUCE_MEAN ? 1 / (double)b->axes->n_terms : 1;
    for (size_t i = 0; i < tile->width; i++)
        outputs[i] = (struct output){.y = (double)b->g->y[tile->output + i],
                                     .dy = (double)b->g->dy[tile->output + i] * share,
                                     .product = 1};
    if (b->what == ENG_REDUCE_PROD || b->what == ENG_REDUCE_MAX || b->what == ENG_REDUCE_MIN)
        each_line(b, tile, outputs, observe_line);
    each_line(b, tile, outputs, write_line);
}

void eng_reduce_backward(const struct eng_axes *axes, enum eng_reduction what,
                         const struct eng_reduce_gradients *gradients, struct eng_pool *pool)
{
    struct backward b = {.axes = axes, .what = what, .g = gradients};
    eng_axes_each_tile(axes, pool, backward_tile, &b);
}
