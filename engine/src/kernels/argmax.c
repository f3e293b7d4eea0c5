#include "kernels/argmax.h"

#include "kernels/order.h"

struct search {
    const struct eng_axes *axes;
    struct eng_argmax what;
    enum eng_dtype dtype;
    const void *x;
    int64_t *index;
};

/* n elements from `offset` on; element i is term first + i of one output, or, if apart, term
 * `first` of output i. */
static inline __attribute__((always_inline)) void search_line(const enum eng_dtype dtype,
                                                              const struct search *s, size_t offset,
                                                              size_t n, size_t first,
                                                              uint64_t *best, int64_t *index)
{
    bool apart = s->axes->line_is_kept;
    uint64_t flip = s->what.smallest ? UINT64_MAX : 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t key = eng_order_key(dtype, s->x, offset + i) ^ flip;
        size_t o = apart ? i : 0;
        if (key < best[o] || (key == best[o] && !s->what.last)) continue;
        best[o] = key;
        index[o] = (int64_t)(apart ? first : first + i);
    }
}

/* All keys may be 0, and then the first term is the answer, as index stands at the start. */
static void search_tile(void *ctx, const struct eng_axes_tile *tile)
{
    const struct search *s = ctx;
    uint64_t best[ENG_AXES_TILE] = {0};
    int64_t *index = s->index + tile->output;
    memset(index, 0, tile->width * sizeof *index);
    size_t n = eng_axes_length(s->axes, tile);
    struct eng_stepper line = eng_stepper_at(&s->axes->reduced, 0);
    for (size_t i = 0; i < s->axes->reduced.count; i++) {
        size_t offset = tile->offset + line.offset;
        if (s->dtype == ENG_FLOAT32)
            search_line(ENG_FLOAT32, s, offset, n, i, best, index);
        else
            search_line(s->dtype, s, offset, n, i, best, index);
        eng_stepper_next(&line);
    }
}

void eng_argmax(const struct eng_axes *axes, struct eng_argmax what, enum eng_dtype dtype,
                const void *x, int64_t *index, struct eng_pool *pool)
{
    struct search search = {.axes = axes, .what = what, .dtype = dtype, .x = x, .index = index};
    eng_axes_each_tile(axes, pool, search_tile, &search);
}
