#include "kernels/nhwc.h"

#include "base/mem.h"

#include <string.h>

static const struct eng_nhwc_way *const ways[] = {
    [ENG_NHWC_PRODUCT] = &eng_nhwc_product,
    [ENG_NHWC_WINOGRAD] = &eng_nhwc_winograd,
    [ENG_NHWC_DEPTHWISE] = &eng_nhwc_depthwise,
};

bool eng_nhwc_conv_can(const struct eng_nhwc_conv *conv, enum eng_nhwc_method method)
{
    return ways[method]->can(conv);
}

/* Transforming pays when there are enough channels to multiply with, and tiles to share the
 * weights, of which there are four times as many. */
static bool winograd_pays(const struct eng_nhwc_conv *conv)
{
    size_t pixels = eng_window_volume(conv->window.out);
    return conv->in_channels >= 64 && conv->out_channels >= 32 && pixels >= 100;
}

enum eng_nhwc_method eng_nhwc_conv_choose(const struct eng_nhwc_conv *conv)
{
    if (eng_nhwc_conv_can(conv, ENG_NHWC_DEPTHWISE)) return ENG_NHWC_DEPTHWISE;
    if (eng_nhwc_conv_can(conv, ENG_NHWC_WINOGRAD) && winograd_pays(conv)) return ENG_NHWC_WINOGRAD;
    return ENG_NHWC_PRODUCT;
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
        memcpy(row + to->left * channels, image + (r - to->top) * width * channels,
               shown * channels * sizeof *row);
        memset(after, 0, (to->columns - to->left - shown) * channels * sizeof *row);
    }
}
