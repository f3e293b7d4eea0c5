#include "image/color.h"

#include "image/codec.h"

#include <string.h>

/* ITU-R BT.601 luma in 16-bit fixed point, rounded. */
static uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

/* Rounded to the nearest: Pillow's shifts come to the same. */
static uint8_t compose(uint8_t value, uint8_t alpha, uint8_t background)
{
    return (uint8_t)((value * alpha + background * (255 - alpha) + 127) / 255);
}

static void compose_rgb(const uint8_t *rgba, const uint8_t background[3], uint8_t *rgb)
{
    for (int c = 0; c < 3; c++)
        rgb[c] = compose(rgba[c], rgba[3], background[c]);
}

static void rgb_to_gray(const uint8_t *src, uint32_t n, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = luma(src + 3 * (size_t)i);
}

static void rgb_alpha_to_gray(const uint8_t *src, uint32_t n, const uint8_t background[3],
                              uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t rgb[3];
        compose_rgb(src + 4 * (size_t)i, background, rgb);
        dst[i] = luma(rgb);
    }
}

static void rgb_alpha_to_rgb(const uint8_t *src, uint32_t n, const uint8_t background[3],
                             uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++)
        compose_rgb(src + 4 * (size_t)i, background, dst + 3 * (size_t)i);
}

static void gray_to_rgb(const uint8_t *src, uint32_t n, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++)
        memset(dst + 3 * (size_t)i, src[i], 3);
}

/* To grey or RGB: a grey picture may lie on a coloured background. */
static void gray_alpha_to(const uint8_t *src, uint32_t n, const uint8_t *background,
                          uint32_t n_channels, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++, src += 2)
        for (uint32_t c = 0; c < n_channels; c++)
            *dst++ = compose(src[0], src[1], background[c]);
}

void eng_color_convert(const uint8_t rgb[3], uint32_t n_channels, uint8_t *out)
{
    if (n_channels == 1)
        out[0] = luma(rgb);
    else
        memcpy(out, rgb, 3);
}

const uint8_t *eng_color_row(const struct eng_image *image, uint32_t y, uint32_t n_channels,
                             const uint8_t background[3], uint8_t *buffer)
{
    return eng_color_pixels(eng_image_row(image, y), image->width_px, image->n_channels, n_channels,
                            background, buffer);
}

const uint8_t *eng_color_pixels(const uint8_t *src, uint32_t n, uint32_t n_src, uint32_t n_channels,
                                const uint8_t background[3], uint8_t *buffer)
{
    uint8_t under[3];
    if (n_src == n_channels) return src;
    switch (n_src) {
    case 1:
        gray_to_rgb(src, n, buffer);
        break;
    case 2:
        eng_color_convert(background, n_channels, under);
        gray_alpha_to(src, n, under, n_channels, buffer);
        break;
    case 3:
        rgb_to_gray(src, n, buffer);
        break;
    default:
        if (n_channels == 1)
            rgb_alpha_to_gray(src, n, background, buffer);
        else
            rgb_alpha_to_rgb(src, n, background, buffer);
    }
    return buffer;
}
