#include "train/augment_pixels.h"

#include <math.h>
#include <string.h>

/* The pixel of 0..n-1 that stands at i, which may lie outside; -1: none. */
static int inside(int i, int n, enum eng_pad pad)
{
    if (i >= 0 && i < n) return i;
    if (pad == ENG_PAD_ZERO) return -1;
    if (pad == ENG_PAD_EDGE || n == 1) return i < 0 ? 0 : n - 1;
    int period = 2 * n - 2, at = i % period;
    if (at < 0) at += period;
    return at < n ? at : period - at;
}

static size_t row_bytes(const struct eng_picture_size *size)
{
    return (size_t)size->width_px * size->n_channels;
}

/* dst pixels [begin, end) of a row come from src pixel from, from + 1 ... or, backwards, from,
 * from - 1 ... */
static void copy_run(const uint8_t *src, uint8_t *dst, int begin, int end, int from, bool backwards,
                     size_t n_channels)
{
    if (begin >= end) return;
    uint8_t *to = dst + (size_t)begin * n_channels;
    if (!backwards) {
        memcpy(to, src + (size_t)from * n_channels, (size_t)(end - begin) * n_channels);
        return;
    }
    const uint8_t *pixel = src + (size_t)from * n_channels;
    for (int x = begin; x < end; x++, pixel -= n_channels)
        for (size_t c = 0; c < n_channels; c++)
            *to++ = pixel[c];
}

/* Columns [begin, end) of dst lie outside of src. */
static void pad_run(const struct eng_picture_size *size, const struct eng_move *move,
                    enum eng_pad pad, const uint8_t *src, uint8_t *dst, int begin, int end)
{
    for (int x = begin; x < end; x++) {
        int from = inside(x - move->right_px, size->width_px, pad);
        if (from >= 0 && move->flip_horizontal) from = size->width_px - 1 - from;
        for (size_t c = 0; c < size->n_channels; c++)
            dst[(size_t)x * size->n_channels + c] =
                from < 0 ? 0 : src[(size_t)from * size->n_channels + c];
    }
}

static int clamp(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

static void move_row(const struct eng_picture_size *size, const struct eng_move *move,
                     enum eng_pad pad, const uint8_t *src, uint8_t *dst)
{
    int width = size->width_px, right = move->right_px;
    int begin = clamp(right, 0, width), end = clamp(width + right, 0, width);
    int from = move->flip_horizontal ? width - 1 - (begin - right) : begin - right;
    pad_run(size, move, pad, src, dst, 0, begin);
    copy_run(src, dst, begin, end, from, move->flip_horizontal, size->n_channels);
    pad_run(size, move, pad, src, dst, begin > end ? begin : end, width);
}

void eng_picture_move(const struct eng_picture_size *size, const struct eng_move *move,
                      enum eng_pad pad, const uint8_t *src, uint8_t *dst)
{
    size_t n_bytes = row_bytes(size);
    for (int y = 0; y < size->height_px; y++, dst += n_bytes) {
        int from = inside(y - move->down_px, size->height_px, pad);
        if (from >= 0 && move->flip_vertical) from = size->height_px - 1 - from;
        if (from < 0)
            memset(dst, 0, n_bytes);
        else
            move_row(size, move, pad, src + (size_t)from * n_bytes, dst);
    }
}

/* A pixel to interpolate from, NULL: 0 in every channel. */
static const uint8_t *pixel_at(const struct eng_picture_size *size, enum eng_pad pad,
                               const uint8_t *src, int x, int y)
{
    x = inside(x, size->width_px, pad);
    y = inside(y, size->height_px, pad);
    if (x < 0 || y < 0) return NULL;
    return src + (size_t)y * row_bytes(size) + (size_t)x * size->n_channels;
}

static float channel_of(const uint8_t *pixel, size_t channel)
{
    return pixel ? pixel[channel] : 0;
}

static void interpolate(const struct eng_picture_size *size, enum eng_pad pad, const uint8_t *src,
                        float x, float y, uint8_t *dst)
{
    float left = floorf(x), top = floorf(y), right_share = x - left, bottom_share = y - top;
    int ix = (int)left, iy = (int)top;
    const uint8_t *upper_left = pixel_at(size, pad, src, ix, iy);
    const uint8_t *upper_right = pixel_at(size, pad, src, ix + 1, iy);
    const uint8_t *lower_left = pixel_at(size, pad, src, ix, iy + 1);
    const uint8_t *lower_right = pixel_at(size, pad, src, ix + 1, iy + 1);
    for (size_t c = 0; c < size->n_channels; c++) {
        float upper = channel_of(upper_left, c) * (1 - right_share) +
                      channel_of(upper_right, c) * right_share;
        float lower = channel_of(lower_left, c) * (1 - right_share) +
                      channel_of(lower_right, c) * right_share;
        dst[c] = (uint8_t)(upper * (1 - bottom_share) + lower * bottom_share + 0.5f);
    }
}

void eng_picture_warp(const struct eng_picture_size *size, const struct eng_warp *warp,
                      enum eng_pad pad, const uint8_t *src, uint8_t *dst)
{
    for (int y = 0; y < size->height_px; y++)
        for (int x = 0; x < size->width_px; x++, dst += size->n_channels) {
            float from_x = warp->xx * (float)x + warp->xy * (float)y + warp->x0;
            float from_y = warp->yx * (float)x + warp->yy * (float)y + warp->y0;
            interpolate(size, pad, src, from_x, from_y, dst);
        }
}

static uint8_t to_byte(float value)
{
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5f);
}

void eng_picture_light(const struct eng_picture_size *size, float brightness, float contrast,
                       uint8_t *pixels)
{
    size_t n_bytes = row_bytes(size) * (size_t)size->height_px;
    uint64_t sum = 0;
    uint8_t table[256];
    for (size_t i = 0; i < n_bytes; i++)
        sum += pixels[i];
    float mean = brightness * (float)((double)sum / (double)n_bytes);
    for (int v = 0; v < 256; v++)
        table[v] = to_byte(mean + contrast * (brightness * (float)v - mean));
    for (size_t i = 0; i < n_bytes; i++)
        pixels[i] = table[pixels[i]];
}

void eng_picture_cut(const struct eng_picture_size *size, int left_px, int top_px, int side_px,
                     const uint8_t *mean, uint8_t *pixels)
{
    int left = clamp(left_px, 0, size->width_px), top = clamp(top_px, 0, size->height_px);
    int right = clamp(left_px + side_px, 0, size->width_px);
    int bottom = clamp(top_px + side_px, 0, size->height_px);
    size_t n_bytes = (size_t)(right - left) * size->n_channels;
    for (int y = top; y < bottom; y++) {
        size_t at = (size_t)y * row_bytes(size) + (size_t)left * size->n_channels;
        if (mean)
            memcpy(pixels + at, mean + at, n_bytes);
        else
            memset(pixels + at, 0, n_bytes);
    }
}
