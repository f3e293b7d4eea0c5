/* Depthwise convolution, and convolution in groups of 2, 4 or 8 channels, with channels last: a
 * vector holds channels of one pixel. */
#include "kernels/nhwc.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/clamp.h"

static bool can(const struct eng_nhwc_conv *conv)
{
    const struct eng_window *w = &conv->window;
    return w->kernel[0] == 1 && w->in[0] == 1 && w->out[0] == 1 && conv->groups > 1 &&
           conv->in_channels == conv->out_channels &&
           (conv->in_channels == 1 || conv->in_channels == 2 || conv->in_channels == 4 ||
            conv->in_channels == 8);
}

/* [tap, input of the group, channels, filled up] */
static bool packed_floats(const struct eng_nhwc_conv *conv, size_t *out)
{
    return eng_mul_size(eng_window_volume(conv->window.kernel) * conv->in_channels,
                        eng_nhwc_round_up(conv->groups * conv->in_channels), out);
}

static void pack(const struct eng_nhwc_conv *conv, const float *w, float *packed)
{
    size_t taps = eng_window_volume(conv->window.kernel), n = conv->in_channels;
    size_t channels = conv->groups * n, padded = eng_nhwc_round_up(channels);
    for (size_t tap = 0; tap < taps; tap++)
        for (size_t k = 0; k < n; k++)
            for (size_t c = 0; c < padded; c++)
                *packed++ = c < channels ? w[(c * n + k) * taps + tap] : 0;
}

/* The sums of y's rows, if their means are wanted. */
static bool scratch_bytes(const struct eng_nhwc_conv *conv, size_t *out)
{
    size_t n;
    *out = 0;
    return !conv->means || (eng_mul_size(conv->n_images, (size_t)conv->window.out[1], &n) &&
                            eng_mul_size(n, conv->groups * conv->in_channels * sizeof(float), out));
}

struct run {
    const struct eng_nhwc_conv *conv;
    const struct eng_nhwc_conv_call *call;
    const struct eng_kernels *kernels;
    struct eng_depthwise like; /* what all rows have in common */
};

/* Row `row` of an image. */
static void run_row(const struct run *r, size_t image, int64_t row)
{
    const struct eng_window *w = &r->conv->window;
    struct eng_depthwise d = r->like;
    struct eng_window_taps taps = eng_window_taps_at(w, 1, row);
    int64_t in_row = taps.first < taps.last ? taps.origin + taps.first * w->dilation[1] : 0;
    size_t y_at = (image * (size_t)w->out[1] + (size_t)row) * (size_t)w->out[2] * d.n_channels;
    d.n_rows = (size_t)(taps.last - taps.first);
    d.x =
        r->call->x + (image * (size_t)w->in[1] + (size_t)in_row) * (size_t)w->in[2] * d.n_channels;
    d.w = r->call->packed + (size_t)taps.first * d.w_row;
    d.y = r->call->y + y_at;
    d.added = r->call->added ? r->call->added + y_at : NULL;
    (d.group == 1 ? r->kernels->depthwise : r->kernels->grouped)(&d);
    float *sums = r->call->scratch;
    if (r->conv->means)
        r->kernels->sum_pixels(d.y, d.n_pixels, d.n_channels,
                               sums + (image * (size_t)w->out[1] + (size_t)row) * d.n_channels);
}

static void run_rows(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    size_t rows = (size_t)r->conv->window.out[1];
    for (size_t i = begin; i < end; i++)
        run_row(r, i / rows, (int64_t)(i % rows));
}

static struct eng_depthwise common(const struct eng_nhwc_conv *conv,
                                   const struct eng_nhwc_conv_call *call)
{
    const struct eng_window *w = &conv->window;
    struct eng_clamp clamp = eng_clamp_for(call->activation);
    size_t channels = conv->groups * conv->in_channels;
    size_t tap_floats = eng_nhwc_round_up(channels) * conv->in_channels;
    return (struct eng_depthwise){.n_pixels = (size_t)w->out[2],
                                  .n_channels = channels,
                                  .group = conv->in_channels,
                                  .n_columns = (size_t)w->kernel[2],
                                  .origin = (ptrdiff_t)-w->pad_begin[2],
                                  .stride = (ptrdiff_t)w->stride[2],
                                  .dilation = (ptrdiff_t)w->dilation[2],
                                  .width = (ptrdiff_t)w->in[2],
                                  .x_row =
                                      (ptrdiff_t)(w->dilation[1] * w->in[2]) * (ptrdiff_t)channels,
                                  .w_row = (size_t)w->kernel[2] * tap_floats,
                                  .w_column = tap_floats,
                                  .bias = call->bias,
                                  .low = clamp.low,
                                  .high = clamp.high,
                                  .activate = clamp.is_all ? NULL : eng_activation_forward,
                                  .activation = call->activation};
}

/* From the sums of rows. */
static void make_means(const struct run *r)
{
    const struct eng_window *w = &r->conv->window;
    size_t rows = (size_t)w->out[1], n = r->like.n_channels;
    const float *sums = r->call->scratch;
    for (size_t image = 0; image < r->conv->n_images; image++) {
        float *means = r->call->means + image * n;
        r->kernels->sum_pixels(sums + image * rows * n, rows, n, means);
        for (size_t c = 0; c < n; c++)
            means[c] /= (float)(w->out[1] * w->out[2]);
    }
}

static void forward(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call)
{
    const struct eng_window *w = &conv->window;
    struct run r = {
        .conv = conv, .call = call, .kernels = eng_kernels(), .like = common(conv, call)};
    double row = (double)(conv->groups * conv->in_channels) * (double)w->out[2];
    eng_share(call->pool, conv->n_images * (size_t)w->out[1],
              2 * row * (double)(eng_window_volume(w->kernel) * conv->in_channels),
              2 * sizeof(float) * row, run_rows, &r);
    if (conv->means) make_means(&r);
}

const struct eng_nhwc_way eng_nhwc_depthwise = {
    .can = can,
    .packed_floats = packed_floats,
    .pack = pack,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
};
