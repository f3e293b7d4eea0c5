/* Colour conversion, a row at a time. */
#ifndef ENG_IMAGE_COLOR_H
#define ENG_IMAGE_COLOR_H

#include "engine/image.h"

/*
 * Purpose: row y as grey (n_channels 1) or RGB (3). What has alpha is put on the background (red,
 *          green, blue) first.
 * Ownership: returns the picture's own row where nothing has to be converted, else buffer
 *            (width x n_channels bytes).
 * Source: Pillow 9.4 Image.alpha_composite, Image.convert("L" or "RGB").
 */
const uint8_t *eng_color_row(const struct eng_image *image, uint32_t y, uint32_t n_channels,
                             const uint8_t background[3], uint8_t *buffer);

/* Purpose: the same of n pixels of n_src channels each. */
const uint8_t *eng_color_pixels(const uint8_t *src, uint32_t n, uint32_t n_src, uint32_t n_channels,
                                const uint8_t background[3], uint8_t *buffer);

/* Purpose: one colour as n_channels bytes, 1 or 3. */
void eng_color_convert(const uint8_t rgb[3], uint32_t n_channels, uint8_t *out);

#endif
