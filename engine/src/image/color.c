#include "image/color.h"

#include "image/codec.h"

/* ITU-R BT.601 luma in 16-bit fixed point, rounded. */
static uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

static void color_to_gray(const uint8_t *src, uint32_t n_src_channels, uint32_t n, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = luma(src + (size_t)i * n_src_channels);
}

static void gray_alpha_to_gray(const uint8_t *src, uint32_t n, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++)
        dst[i] = src[2 * (size_t)i];
}

static void gray_to_rgb(const uint8_t *src, uint32_t n_src_channels, uint32_t n, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t gray = src[(size_t)i * n_src_channels];
        dst[3 * (size_t)i] = dst[3 * (size_t)i + 1] = dst[3 * (size_t)i + 2] = gray;
    }
}

static void rgb_alpha_to_rgb(const uint8_t *src, uint32_t n, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++, src += 4, dst += 3) {
        dst[0] = src[0];
        dst[1] = src[1];
        dst[2] = src[2];
    }
}

const uint8_t *eng_color_row(const struct eng_image *image, uint32_t y, uint32_t n_channels,
                             uint8_t *buffer)
{
    const uint8_t *src = eng_image_row(image, y);
    uint32_t n_src_channels = image->n_channels, n = image->width_px;
    if (n_src_channels == n_channels) return src;
    if (n_channels == 3 && n_src_channels == 4)
        rgb_alpha_to_rgb(src, n, buffer);
    else if (n_channels == 3)
        gray_to_rgb(src, n_src_channels, n, buffer);
    else if (n_src_channels == 2)
        gray_alpha_to_gray(src, n, buffer);
    else
        color_to_gray(src, n_src_channels, n, buffer);
    return buffer;
}
