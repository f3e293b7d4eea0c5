#include "kernels/axes.h"

#include "base/share.h"

/* One joined run of axes of a kind, outermost first. */
struct run {
    size_t dim, step;
    bool reduced;
};

static int join(const struct eng_shape *x, unsigned reduced, struct run runs[ENG_MAX_RANK])
{
    int n = 0;
    for (int d = 0; d < x->rank; d++) {
        bool kind = reduced >> d & 1;
        if (x->dim[d] == 1) continue;
        if (n > 0 && runs[n - 1].reduced == kind)
            runs[n - 1].dim *= (size_t)x->dim[d];
        else
            runs[n++] = (struct run){.dim = (size_t)x->dim[d], .reduced = kind};
    }
    size_t step = 1;
    for (int i = n - 1; i >= 0; i--) {
        runs[i].step = step;
        step *= runs[i].dim;
    }
    return n;
}

void eng_axes_plan(const struct eng_shape *x, unsigned reduced, struct eng_axes *out)
{
    struct run runs[ENG_MAX_RANK];
    int n = join(x, reduced, runs);
    *out = (struct eng_axes){.line = 1, .kept.count = 1, .reduced.count = 1};
    if (n > 0) {
        out->line = runs[n - 1].dim;
        out->line_is_kept = !runs[n - 1].reduced;
    }
    for (int i = 0; i < n - 1; i++) {
        struct eng_walk *walk = runs[i].reduced ? &out->reduced : &out->kept;
        walk->dim[walk->rank] = runs[i].dim;
        walk->step[walk->rank++] = runs[i].step;
        walk->count *= runs[i].dim;
    }
    out->n_outputs = out->kept.count * (out->line_is_kept ? out->line : 1);
    out->n_terms = out->reduced.count * (out->line_is_kept ? 1 : out->line);
}

struct eng_stepper eng_stepper_at(const struct eng_walk *walk, size_t i)
{
    struct eng_stepper stepper = {.walk = walk};
    for (int d = walk->rank - 1; i > 0 && d >= 0; d--) {
        stepper.index[d] = i % walk->dim[d];
        stepper.offset += stepper.index[d] * walk->step[d];
        i /= walk->dim[d];
    }
    return stepper;
}

struct tiles {
    const struct eng_axes *axes;
    size_t n_pieces; /* of a line */
    eng_axes_tile_fn *fn;
    void *ctx;
};

static void run_tiles(void *ctx, size_t begin, size_t end)
{
    const struct tiles *tiles = ctx;
    const struct eng_axes *axes = tiles->axes;
    struct eng_stepper kept = eng_stepper_at(&axes->kept, begin / tiles->n_pieces);
    size_t line = axes->line_is_kept ? axes->line : 1;
    size_t piece = begin % tiles->n_pieces, first = begin / tiles->n_pieces * line;
    for (size_t i = begin; i < end; i++) {
        size_t from = piece * ENG_AXES_TILE, left = line - from;
        struct eng_axes_tile tile = {.output = first + from,
                                     .offset = kept.offset + from,
                                     .width = left < ENG_AXES_TILE ? left : ENG_AXES_TILE};
        tiles->fn(tiles->ctx, &tile);
        if (++piece < tiles->n_pieces) continue;
        piece = 0;
        first += line;
        eng_stepper_next(&kept);
    }
}

void eng_axes_each_tile(const struct eng_axes *axes, struct eng_pool *pool, eng_axes_tile_fn *fn,
                        void *ctx)
{
    if (axes->n_outputs == 0) return;
    size_t line = axes->line_is_kept ? axes->line : 1;
    struct tiles tiles = {
        .axes = axes, .n_pieces = (line + ENG_AXES_TILE - 1) / ENG_AXES_TILE, .fn = fn, .ctx = ctx};
    size_t width = line < ENG_AXES_TILE ? line : ENG_AXES_TILE;
    double n_elements = (double)width * (double)axes->n_terms;
    eng_share(pool, axes->kept.count * tiles.n_pieces, n_elements, n_elements * sizeof(float),
              run_tiles, &tiles);
}
