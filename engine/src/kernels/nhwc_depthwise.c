/* Depthwise convolution with channels last: a vector holds channels of one pixel. */
#include "kernels/nhwc.h"

#include "base/mem.h"
#include "kernels/clamp.h"

enum { PIECE_FLOPS = 2000 * 1000 };

static bool can(const struct eng_nhwc_conv *conv)
{
    const struct eng_window *w = &conv->window;
    return w->kernel[0] == 1 && w->in[0] == 1 && w->out[0] == 1 && conv->groups > 1 &&
           conv->in_channels == 1 && conv->out_channels == 1;
}

/* [tap, channels, filled up] */
static bool packed_floats(const struct eng_nhwc_conv *conv, size_t *out)
{
    return eng_mul_size(eng_window_volume(conv->window.kernel), eng_nhwc_round_up(conv->groups),
                        out);
}

static void pack(const struct eng_nhwc_conv *conv, const float *w, float *packed)
{
    size_t taps = eng_window_volume(conv->window.kernel), padded = eng_nhwc_round_up(conv->groups);
    for (size_t tap = 0; tap < taps; tap++)
        for (size_t c = 0; c < padded; c++)
            packed[tap * padded + c] = c < conv->groups ? w[c * taps + tap] : 0;
}

static bool scratch_bytes(const struct eng_nhwc_conv *conv, size_t *out)
{
    (void)conv;
    *out = 0;
    return true;
}

struct run {
    const struct eng_nhwc_conv *conv;
    const struct eng_nhwc_conv_call *call;
    const struct eng_kernels *kernels;
    struct eng_clamp clamp;
    int64_t inner_first, inner_last; /* columns of y at which all taps are inside */
};

/* Output pixels [first, last) of a row, which see the same columns of taps. */
static void run_span(const struct run *r, struct eng_depthwise *d, size_t image, int64_t row,
                     int64_t first, int64_t last)
{
    const struct eng_window *w = &r->conv->window;
    struct eng_window_taps ys = eng_window_taps_at(w, 1, row), xs = eng_window_taps_at(w, 2, first);
    size_t channels = r->conv->groups, padded = eng_nhwc_round_up(channels);
    int64_t iy = ys.origin + ys.first * w->dilation[1], ix = xs.origin + xs.first * w->dilation[2];
    if (first >= last) return;
    if (ys.first == ys.last || xs.first == xs.last) iy = ix = 0; /* nothing is read */
    d->n_rows = (size_t)(ys.last - ys.first);
    d->n_columns = (size_t)(xs.last - xs.first);
    d->x = r->call->x +
           ((image * (size_t)w->in[1] + (size_t)iy) * (size_t)w->in[2] + (size_t)ix) * channels;
    d->w = r->call->packed + (size_t)(ys.first * w->kernel[2] + xs.first) * padded;
    d->n_pixels = (size_t)(last - first);
    size_t y_at =
        ((image * (size_t)w->out[1] + (size_t)row) * (size_t)w->out[2] + (size_t)first) * channels;
    d->y = r->call->y + y_at;
    d->added = r->call->added ? r->call->added + y_at : NULL;
    r->kernels->depthwise(d);
    if (!r->clamp.is_all)
        eng_activation_forward(r->call->activation, d->y, d->y, d->n_pixels * channels);
}

static void run_rows(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct eng_window *w = &r->conv->window;
    size_t channels = r->conv->groups, padded = eng_nhwc_round_up(channels);
    struct eng_depthwise d = {.n_channels = channels,
                              .x_row = (size_t)(w->dilation[1] * w->in[2]) * channels,
                              .x_column = (size_t)w->dilation[2] * channels,
                              .x_pixel = (size_t)w->stride[2] * channels,
                              .w_row = (size_t)w->kernel[2] * padded,
                              .w_column = padded,
                              .bias = r->call->bias,
                              .low = r->clamp.low,
                              .high = r->clamp.high};
    for (size_t i = begin; i < end; i++) {
        size_t image = i / (size_t)w->out[1];
        int64_t row = (int64_t)(i % (size_t)w->out[1]);
        for (int64_t x = 0; x < r->inner_first; x++)
            run_span(r, &d, image, row, x, x + 1);
        run_span(r, &d, image, row, r->inner_first, r->inner_last);
        for (int64_t x = r->inner_last; x < w->out[2]; x++)
            run_span(r, &d, image, row, x, x + 1);
    }
}

static void forward(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call)
{
    struct run r = {.conv = conv,
                    .call = call,
                    .kernels = eng_kernels(),
                    .clamp = eng_clamp_for(call->activation)};
    const struct eng_window *w = &conv->window;
    int64_t unused; /* the first tap enters the image last, the last tap leaves it first */
    eng_window_reach(w, 2, 0, &r.inner_first, &unused);
    eng_window_reach(w, 2, w->kernel[2] - 1, &unused, &r.inner_last);
    if (r.inner_first > r.inner_last) r.inner_last = r.inner_first;
    size_t row_flops = 2 * eng_window_volume(w->kernel) * conv->groups * (size_t)w->out[2] + 1;
    eng_pool_for(call->pool, conv->n_images * (size_t)w->out[1], 1 + PIECE_FLOPS / row_flops,
                 run_rows, &r);
}

const struct eng_nhwc_way eng_nhwc_depthwise = {
    .can = can,
    .packed_floats = packed_floats,
    .pack = pack,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
};
