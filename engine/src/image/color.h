/* Colour conversion, a row at a time. */
#ifndef ENG_IMAGE_COLOR_H
#define ENG_IMAGE_COLOR_H

#include "engine/image.h"

/*
 * Purpose: row y as grey (n_channels 1) or RGB (3). Alpha is dropped.
 * Ownership: returns the picture's own row where nothing has to be converted, else buffer
 *            (width x n_channels bytes).
 * Source: Pillow 9.4 Image.convert("L" or "RGB").
 */
const uint8_t *eng_color_row(const struct eng_image *image, uint32_t y, uint32_t n_channels,
                             uint8_t *buffer);

#endif
