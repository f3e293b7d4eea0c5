#include "kernels/nhwc.h"

#include "base/mem.h"

#include <string.h>

static const struct eng_nhwc_way *const ways[] = {
    [ENG_NHWC_PRODUCT] = &eng_nhwc_product,
    [ENG_NHWC_WINOGRAD_2X2] = &eng_nhwc_winograd,
    [ENG_NHWC_WINOGRAD_4X4] = &eng_nhwc_winograd,
    [ENG_NHWC_DEPTHWISE] = &eng_nhwc_depthwise,
    [ENG_NHWC_BF16] = &eng_nhwc_bf16,
};

const char *eng_nhwc_method_name(enum eng_nhwc_method method)
{
    static const char *const names[] = {[ENG_NHWC_PRODUCT] = "product",
                                        [ENG_NHWC_WINOGRAD_2X2] = "winograd_2x2",
                                        [ENG_NHWC_WINOGRAD_4X4] = "winograd_4x4",
                                        [ENG_NHWC_DEPTHWISE] = "depthwise",
                                        [ENG_NHWC_BF16] = "bf16"};
    return names[method];
}

bool eng_nhwc_conv_can(const struct eng_nhwc_conv *conv, enum eng_nhwc_method method)
{
    return ways[method]->can(conv);
}

/*
 * What a method costs in steps of a vector of multiply-adds. Weights come from the last-level
 * cache, or, where there are too many for it, from memory.
 */
static double winograd_cost(const struct eng_nhwc_conv *conv, size_t tile)
{
    enum { CACHE_BYTES = 12 << 20 };
    double points = (double)((tile + 2) * (tile + 2));
    double in = (double)conv->in_channels, out = (double)eng_nhwc_round_up(conv->out_channels);
    double tiles = (double)(eng_nhwc_divide_up((size_t)conv->window.out[1], tile) *
                            eng_nhwc_divide_up((size_t)conv->window.out[2], tile));
    double bytes = points * in * out * sizeof(float);
    double steps = tiles * points / ENG_CHANNEL_BLOCK * (in * out + 4 * in + 4 * out);
    double reading = bytes / (bytes > CACHE_BYTES ? 5 : 25);
    return steps > reading ? steps : reading;
}

static double product_cost(const struct eng_nhwc_conv *conv)
{
    return (double)eng_window_volume(conv->window.out) * 9 / ENG_CHANNEL_BLOCK *
           (double)(conv->in_channels * eng_nhwc_round_up(conv->out_channels));
}

/* F(4x4) rounds more than the direct sum, the more so the fewer channels are summed up. What a
 * layer rounds grows through those behind it. */
bool eng_nhwc_conv_bears(const struct eng_nhwc_conv *conv, enum eng_nhwc_method method,
                         size_t n_convolutions)
{
    enum { MIN_CHANNELS = 64, SHALLOW = 128 };
    if (method == ENG_NHWC_BF16) return false;
    return method != ENG_NHWC_WINOGRAD_4X4 || conv->in_channels >= MIN_CHANNELS ||
           n_convolutions <= SHALLOW;
}

static enum eng_nhwc_method choose_3x3(const struct eng_nhwc_conv *conv, size_t n_convolutions)
{
    double direct = product_cost(conv), small = winograd_cost(conv, 2);
    double large = winograd_cost(conv, 4);
    if (conv->in_channels < ENG_CHANNEL_BLOCK) return ENG_NHWC_PRODUCT;
    bool bears = eng_nhwc_conv_bears(conv, ENG_NHWC_WINOGRAD_4X4, n_convolutions);
    if (bears && large < small && large < direct) return ENG_NHWC_WINOGRAD_4X4;
    return small < direct ? ENG_NHWC_WINOGRAD_2X2 : ENG_NHWC_PRODUCT;
}

enum eng_nhwc_method eng_nhwc_conv_choose(const struct eng_nhwc_conv *conv, size_t n_convolutions)
{
    if (eng_nhwc_conv_can(conv, ENG_NHWC_DEPTHWISE)) return ENG_NHWC_DEPTHWISE;
    if (!eng_nhwc_conv_can(conv, ENG_NHWC_WINOGRAD_4X4)) return ENG_NHWC_PRODUCT;
    return choose_3x3(conv, n_convolutions);
}

enum eng_nhwc_method eng_nhwc_conv_smaller(const struct eng_nhwc_conv *conv)
{
    bool small_pays = winograd_cost(conv, 2) < product_cost(conv);
    return conv->method == ENG_NHWC_WINOGRAD_4X4 && small_pays ? ENG_NHWC_WINOGRAD_2X2
                                                               : ENG_NHWC_PRODUCT;
}

/*
 * F(4x4) multiplies a quarter as often, a product of bfloat16 half as often and reads an eighth as
 * many bytes of weights: so it wins where these count. The narrow layers with which networks begin
 * stay exact: moving pictures takes their time, and all that comes later inherits their error.
 */
bool eng_nhwc_conv_prefers_bf16(const struct eng_nhwc_conv *conv, enum eng_nhwc_method method)
{
    enum { FEW_PIXELS = 100, FEW_WEIGHTS = 64 * 64 };
    if (!eng_nhwc_conv_can(conv, ENG_NHWC_BF16) || method == ENG_NHWC_DEPTHWISE) return false;
    if (conv->in_channels * conv->out_channels < FEW_WEIGHTS) return false;
    return method != ENG_NHWC_WINOGRAD_4X4 || eng_window_volume(conv->window.out) < FEW_PIXELS;
}

bool eng_nhwc_conv_packed_floats(const struct eng_nhwc_conv *conv, size_t *out)
{
    return ways[conv->method]->packed_floats(conv, out);
}

void eng_nhwc_conv_pack(const struct eng_nhwc_conv *conv, const float *w, float *packed)
{
    ways[conv->method]->pack(conv, w, packed);
}

size_t eng_nhwc_conv_bias_floats(const struct eng_nhwc_conv *conv)
{
    return eng_nhwc_round_up(conv->groups * conv->out_channels) + ENG_CHANNEL_BLOCK;
}

bool eng_nhwc_conv_scratch_bytes(const struct eng_nhwc_conv *conv, size_t *out)
{
    return ways[conv->method]->scratch_bytes(conv, out);
}

void eng_nhwc_conv_forward(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call)
{
    ways[conv->method]->forward(conv, call);
}

/* Three planes, as a photograph has, to pixels. */
static void join_three(const float *restrict a, const float *restrict b, const float *restrict c,
                       size_t n, float *restrict to)
{
    for (size_t i = 0; i < n; i++) {
        to[3 * i] = a[i];
        to[3 * i + 1] = b[i];
        to[3 * i + 2] = c[i];
    }
}

/* Pixels 0 .. n - 1 of a row of x, with channels last. */
static void copy_pixels(const struct eng_nhwc_conv *conv, const float *image, size_t row, size_t n,
                        float *to)
{
    size_t channels = conv->groups * conv->in_channels;
    size_t height = (size_t)conv->window.in[1], width = (size_t)conv->window.in[2];
    if (!conv->planes) {
        memcpy(to, image + row * width * channels, n * channels * sizeof *to);
        return;
    }
    const float *first = image + row * width;
    if (channels == 3) {
        join_three(first, first + height * width, first + 2 * height * width, n, to);
        return;
    }
    for (size_t c = 0; c < channels; c++) {
        const float *from = image + (c * height + row) * width;
        for (size_t i = 0; i < n; i++)
            to[i * channels + c] = from[i];
    }
}

void eng_nhwc_pad_rows(const struct eng_nhwc_conv *conv, const struct eng_nhwc_padded *to,
                       const float *image, float *padded, size_t begin, size_t end)
{
    size_t channels = conv->groups * conv->in_channels;
    size_t height = (size_t)conv->window.in[1], width = (size_t)conv->window.in[2];
    size_t shown = to->columns - to->left < width ? to->columns - to->left : width;
    for (size_t r = begin; r < end; r++) {
        float *row = padded + r * to->columns * channels;
        if (r < to->top || r - to->top >= height) {
            memset(row, 0, to->columns * channels * sizeof *row);
            continue;
        }
        float *after = row + (to->left + shown) * channels;
        memset(row, 0, to->left * channels * sizeof *row);
        copy_pixels(conv, image, r - to->top, shown, row + to->left * channels);
        memset(after, 0, (to->columns - to->left - shown) * channels * sizeof *row);
    }
}
