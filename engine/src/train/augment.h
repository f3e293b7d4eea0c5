/* Augmentation: a training picture, moved, turned, zoomed and mirrored a little at random. */
#ifndef ENG_TRAIN_AUGMENT_H
#define ENG_TRAIN_AUGMENT_H

#include "base/fields.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each is drawn uniformly from -value to +value; all 0: pictures stay as they are. */
struct eng_augment_options {
    double shift_px;
    double rotate_degrees;
    double zoom;          /* 0.1: from 0.9 to 1.1 times the size */
    bool flip_horizontal; /* mirrored with probability 1/2 */
};

extern const struct eng_field eng_augment_fields[];
extern const size_t eng_n_augment_fields;

/*
 * Purpose: draws one variant of a picture; what comes from outside of it is 0.
 * Shapes: src and dst [height_px, width_px, n_channels], not overlapping.
 * Threads: any; the result depends on the generator's state only.
 */
void eng_augment_run(const struct eng_augment_options *options, struct eng_rng *rng,
                     const uint8_t *src, uint32_t width_px, uint32_t height_px, uint32_t n_channels,
                     uint8_t *dst);

#endif
