#include "kernels/nhwc_pooling.h"

#include "base/share.h"
#include "kernels/dispatch.h"

#include <math.h>
#include <string.h>

struct run {
    const struct eng_nhwc_pool *p;
    const float *x;
    float *y;
    bool mean;
    const struct eng_kernels *kernels;
};

/* Taps of one axis that count for a mean: those inside, or those inside the padded image. */
static int64_t counted(const struct run *r, int axis, int64_t position, struct eng_window_taps taps)
{
    const struct eng_window *w = &r->p->window;
    if (!r->p->count_padding) return taps.last - taps.first;
    int64_t end = w->in[axis] + w->pad_end[axis], n = 0;
    int64_t origin = position * w->stride[axis] - w->pad_begin[axis];
    for (int64_t t = 0; t < w->kernel[axis]; t++)
        n += origin + t * w->dilation[axis] < end;
    return n;
}

static void pool_pixel(const struct run *r, const float *image, int64_t row, int64_t column,
                       float *y)
{
    const struct eng_window *w = &r->p->window;
    size_t n = r->p->n_channels;
    struct eng_window_taps ys = eng_window_taps_at(w, 1, row),
                           xs = eng_window_taps_at(w, 2, column);
    struct eng_window_pool pixel = {.n_channels = n,
                                    .n_rows = (size_t)(ys.last - ys.first),
                                    .n_columns = (size_t)(xs.last - xs.first),
                                    .x = image,
                                    .row = (size_t)(w->dilation[1] * w->in[2]) * n,
                                    .column = (size_t)w->dilation[2] * n,
                                    .y = y};
    if (r->mean) pixel.count = (float)(counted(r, 1, row, ys) * counted(r, 2, column, xs));
    if (pixel.n_rows > 0 && pixel.n_columns > 0)
        pixel.x += (size_t)((ys.origin + ys.first * w->dilation[1]) * w->in[2] + xs.origin +
                            xs.first * w->dilation[2]) *
                   n;
    (r->mean ? r->kernels->window_mean : r->kernels->window_max)(&pixel);
}

static void pool_rows(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct eng_window *w = &r->p->window;
    size_t rows = (size_t)w->out[1], columns = (size_t)w->out[2], n = r->p->n_channels;
    for (size_t i = begin; i < end; i++) {
        const float *image = r->x + i / rows * (size_t)(w->in[1] * w->in[2]) * n;
        for (size_t j = 0; j < columns; j++)
            pool_pixel(r, image, (int64_t)(i % rows), (int64_t)j, r->y + (i * columns + j) * n);
    }
}

static void run_pool(const struct eng_nhwc_pool *p, const float *x, float *y, bool mean,
                     struct eng_pool *pool)
{
    struct run r = {p, x, y, mean, eng_kernels()};
    double row = (double)(eng_window_volume(p->window.kernel) * p->n_channels);
    row *= (double)p->window.out[2];
    eng_share(pool, p->n_images * (size_t)p->window.out[1], row, sizeof(float) * row, pool_rows,
              &r);
}

void eng_nhwc_max_pool(const struct eng_nhwc_pool *p, const float *x, float *y,
                       struct eng_pool *pool)
{
    run_pool(p, x, y, false, pool);
}

void eng_nhwc_average_pool(const struct eng_nhwc_pool *p, const float *x, float *y,
                           struct eng_pool *pool)
{
    run_pool(p, x, y, true, pool);
}

struct global {
    size_t n_pixels, n_channels;
    const float *x;
    float *y;
};

static void mean_images(void *ctx, size_t begin, size_t end)
{
    const struct global *g = ctx;
    for (size_t i = begin; i < end; i++) {
        const float *x = g->x + i * g->n_pixels * g->n_channels;
        float *y = g->y + i * g->n_channels;
        eng_kernels()->sum_pixels(x, g->n_pixels, g->n_channels, y);
        for (size_t c = 0; c < g->n_channels; c++)
            y[c] /= (float)g->n_pixels;
    }
}

void eng_nhwc_global_mean(size_t n_images, size_t n_pixels, size_t n_channels, const float *x,
                          float *y, struct eng_pool *pool)
{
    struct global g = {n_pixels, n_channels, x, y};
    double image = (double)n_pixels * (double)n_channels;
    eng_share(pool, n_images, image, sizeof(float) * image, mean_images, &g);
}
