#include "kernels/reduce.h"

#include "kernels/reduce_terms.h"

#include <math.h>

struct forward {
    const struct eng_axes *axes;
    enum eng_reduction what;
    const struct eng_reduce_terms *terms;
    size_t bytes; /* of an element */
    const char *x;
    char *y;
};

/* The second pass of LOG_SUM_EXP, with the largest terms known. */
static void finish_log_sum_exp(const struct forward *f, const struct eng_axes_tile *tile,
                               const union eng_running *largest)
{
    double origin[ENG_AXES_TILE], sums[ENG_AXES_TILE] = {0};
    f->terms->origins(largest, origin, tile->width);
    for (size_t i = 0; i < tile->width; i++)
        if (isinf(origin[i])) origin[i] = 0; /* inf - inf is not 0 */
    struct eng_stepper line = eng_stepper_at(&f->axes->reduced, 0);
    for (size_t i = 0; i < f->axes->reduced.count; i++) {
        f->terms->take_exp(f->x + (tile->offset + line.offset) * f->bytes,
                           eng_axes_length(f->axes, tile), f->axes->line_is_kept, origin, sums);
        eng_stepper_next(&line);
    }
    for (size_t i = 0; i < tile->width; i++)
        sums[i] = origin[i] + log(sums[i]);
    f->terms->finish_real(sums, f->y + tile->output * f->bytes, tile->width);
}

static void reduce_tile(void *ctx, const struct eng_axes_tile *tile)
{
    const struct forward *f = ctx;
    union eng_running values[ENG_AXES_TILE];
    f->terms->start(f->what, values, tile->width);
    struct eng_stepper line = eng_stepper_at(&f->axes->reduced, 0);
    for (size_t i = 0; i < f->axes->reduced.count; i++) {
        f->terms->take(f->what, f->x + (tile->offset + line.offset) * f->bytes,
                       eng_axes_length(f->axes, tile), f->axes->line_is_kept, values);
        eng_stepper_next(&line);
    }
    if (f->what == ENG_REDUCE_LOG_SUM_EXP)
        finish_log_sum_exp(f, tile, values);
    else
        f->terms->finish(f->what, values, f->axes->n_terms, f->y + tile->output * f->bytes,
                         tile->width);
}

void eng_reduce_forward(const struct eng_axes *axes, enum eng_reduction what, enum eng_dtype dtype,
                        const void *x, void *y, struct eng_pool *pool)
{
    struct forward f = {.axes = axes,
                        .what = what,
                        .terms = eng_reduce_terms(dtype),
                        .bytes = eng_dtype_bytes(dtype),
                        .x = x,
                        .y = y};
    eng_axes_each_tile(axes, pool, reduce_tile, &f);
}
