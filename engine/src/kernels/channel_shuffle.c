#include "kernels/channel_shuffle.h"

#include "base/share.h"
#include "kernels/dispatch.h"

#include <string.h>

struct run {
    const struct eng_channel_shuffle *s;
    const struct eng_kernels *kernels;
    const float *const *x;
    float *y;
};

/* Where group g begins in image or pixel i of n numbers a channel. */
static const float *group_at(const struct run *r, size_t g, size_t i, size_t n)
{
    const struct eng_channel_shuffle *s = r->s;
    size_t group = s->per_group * n;
    return s->n_parts == 1 ? r->x[0] + (i * s->n_groups + g) * group : r->x[g] + i * group;
}

static void run_pixels(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct eng_channel_shuffle *s = r->s;
    bool pairs = s->n_groups == 2 && s->first % 2 == 0 && s->count % 2 == 0;
    for (size_t i = begin; i < end; i++) {
        float *y = r->y + i * s->count;
        if (pairs) {
            r->kernels->alternate(group_at(r, 0, i, 1) + s->first / 2,
                                  group_at(r, 1, i, 1) + s->first / 2, y, s->count / 2);
            continue;
        }
        for (size_t k = 0; k < s->count; k++) {
            size_t channel = s->first + k;
            y[k] = group_at(r, channel % s->n_groups, i, 1)[channel / s->n_groups];
        }
    }
}

static void run_planes(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct eng_channel_shuffle *s = r->s;
    for (size_t i = begin; i < end; i++) {
        size_t channel = s->first + i % s->count;
        const float *group = group_at(r, channel % s->n_groups, i / s->count, s->n_pixels);
        memcpy(r->y + i * s->n_pixels, group + channel / s->n_groups * s->n_pixels,
               s->n_pixels * sizeof *r->y);
    }
}

void eng_channel_shuffle(const struct eng_channel_shuffle *s, const float *const *x, float *y,
                         struct eng_pool *pool)
{
    struct run r = {s, eng_kernels(), x, y};
    if (s->last)
        eng_share(pool, s->n_images * s->n_pixels, 0, 2 * sizeof(float) * (double)s->count,
                  run_pixels, &r);
    else
        eng_share(pool, s->n_images * s->count, 0, 2 * sizeof(float) * (double)s->n_pixels,
                  run_planes, &r);
}
