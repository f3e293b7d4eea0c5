/* What augmentation does to pixels, without chance: each of these says exactly what comes out. */
#ifndef ENG_TRAIN_AUGMENT_PIXELS_H
#define ENG_TRAIN_AUGMENT_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What lies outside of a picture a b c. */
enum eng_pad {
    ENG_PAD_ZERO,    /* 0 0 a b c 0 0 */
    ENG_PAD_REFLECT, /* c b a b c b a */
    ENG_PAD_EDGE,    /* a a a b c c c */
};

/* The size of all pictures here, [height_px, width_px, n_channels] bytes each. */
struct eng_picture_size {
    int width_px, height_px;
    size_t n_channels;
};

/* Mirrored first, then moved to the right and down by whole pixels. */
struct eng_move {
    bool flip_horizontal, flip_vertical;
    int right_px, down_px;
};

/* Output pixel (x, y) comes from (xx x + xy y + x0, yx x + yy y + y0). */
struct eng_warp {
    float xx, xy, x0;
    float yx, yy, y0;
};

/* Purpose: copies rows. src and dst do not overlap. */
void eng_picture_move(const struct eng_picture_size *size, const struct eng_move *move,
                      enum eng_pad pad, const uint8_t *src, uint8_t *dst);

/* Purpose: the same for any affine map, with bilinear interpolation, rounded. */
void eng_picture_warp(const struct eng_picture_size *size, const struct eng_warp *warp,
                      enum eng_pad pad, const uint8_t *src, uint8_t *dst);

/* Purpose: in place: with m = brightness * mean of all bytes, each becomes
 * m + contrast * (brightness * byte - m), rounded and kept in 0..255. */
void eng_picture_light(const struct eng_picture_size *size, float brightness, float contrast,
                       uint8_t *pixels);

/* Purpose: in place: puts the mean's pixels (NULL: 0) where the square lies, clipped to the
 * picture; its left upper corner is (left_px, top_px). */
void eng_picture_cut(const struct eng_picture_size *size, int left_px, int top_px, int side_px,
                     const uint8_t *mean, uint8_t *pixels);

#endif
