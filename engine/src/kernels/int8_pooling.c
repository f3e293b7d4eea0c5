#include "kernels/int8_pooling.h"

#include "base/share.h"

enum { BLOCK = 256 };

struct run {
    const struct eng_int8_pool *p;
    const struct eng_int8_kernels *kernels;
    const struct eng_int8_mean *mean; /* NULL: the maximum */
    uint32_t flip;
    const uint8_t *x;
    uint8_t *y;
};

/* Taps of one axis that count for a mean: those inside, or those inside the padded image. */
static int64_t counted(const struct run *r, int axis, struct eng_window_taps taps)
{
    const struct eng_window *w = &r->p->window;
    if (!r->p->count_padding) return taps.last - taps.first;
    int64_t room = w->in[axis] + w->pad_end[axis] - taps.origin;
    int64_t n = (room + w->dilation[axis] - 1) / w->dilation[axis];
    return n < w->kernel[axis] ? n : w->kernel[axis];
}

/* The mean of some channels: BLOCK at a time, so that their sums stay on the stack. */
static void mean_pixel(const struct run *r, struct eng_int8_window w, int64_t count, uint8_t *y)
{
    float factor = r->mean->factor / (float)count;
    struct eng_int8_finish finish = r->mean->finish;
    int32_t sums[BLOCK], zeros = (int32_t)(w.n_rows * w.n_columns) * r->mean->zero;
    size_t n_channels = w.n_channels;
    finish.factor = &factor;
    for (size_t c = 0; c < n_channels; c += BLOCK, w.x += BLOCK, y += BLOCK) {
        w.n_channels = n_channels - c < BLOCK ? n_channels - c : BLOCK;
        r->kernels->window_sum(&w, sums);
        for (size_t i = 0; i < w.n_channels; i++)
            sums[i] -= zeros;
        r->kernels->finish(sums, &finish, y, w.n_channels);
    }
}

static void pool_pixel(const struct run *r, const uint8_t *image, int64_t row, int64_t column,
                       uint8_t *y)
{
    const struct eng_window *w = &r->p->window;
    size_t n = r->p->n_channels, columns = (size_t)w->in[2];
    struct eng_window_taps ys = eng_window_taps_at(w, 1, row);
    struct eng_window_taps xs = eng_window_taps_at(w, 2, column);
    int64_t top = ys.origin + ys.first * w->dilation[1];
    int64_t left = xs.origin + xs.first * w->dilation[2];
    struct eng_int8_window taps = {.n_rows = (size_t)(ys.last - ys.first),
                                   .n_columns = (size_t)(xs.last - xs.first),
                                   .n_channels = n,
                                   .x = image + ((size_t)top * columns + (size_t)left) * n,
                                   .x_row = (size_t)w->dilation[1] * columns * n,
                                   .x_column = (size_t)w->dilation[2] * n,
                                   .flip = r->flip};
    if (r->mean)
        mean_pixel(r, taps, counted(r, 1, ys) * counted(r, 2, xs), y);
    else
        r->kernels->window_max(&taps, y);
}

static void pool_rows(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct eng_window *w = &r->p->window;
    size_t rows = (size_t)w->out[1], columns = (size_t)w->out[2], n = r->p->n_channels;
    for (size_t i = begin; i < end; i++) {
        const uint8_t *image = r->x + i / rows * (size_t)(w->in[1] * w->in[2]) * n;
        for (size_t j = 0; j < columns; j++)
            pool_pixel(r, image, (int64_t)(i % rows), (int64_t)j, r->y + (i * columns + j) * n);
    }
}

static void run_pool(struct run *r, struct eng_pool *pool)
{
    const struct eng_window *w = &r->p->window;
    size_t row_bytes = (size_t)w->out[2] * eng_window_volume(w->kernel) * r->p->n_channels;
    r->kernels = eng_int8_kernels();
    eng_share(pool, r->p->n_images * (size_t)w->out[1], 0, (double)row_bytes, pool_rows, r);
}

void eng_int8_max_pool(const struct eng_int8_pool *p, const uint8_t *x, uint32_t flip, uint8_t *y,
                       struct eng_pool *pool)
{
    struct run r = {.p = p, .flip = flip, .x = x, .y = y};
    run_pool(&r, pool);
}

void eng_int8_average_pool(const struct eng_int8_pool *p, const struct eng_int8_mean *mean,
                           const uint8_t *x, uint8_t *y, struct eng_pool *pool)
{
    struct run r = {.p = p, .mean = mean, .flip = mean->flip, .x = x, .y = y};
    run_pool(&r, pool);
}
