/*
 * Channels taken in turns from groups of them: channel k of the result is channel k / n_groups of
 * group k % n_groups. Channels [first, first + count) of the result alone are made.
 */
#ifndef ENG_KERNELS_CHANNEL_SHUFFLE_H
#define ENG_KERNELS_CHANNEL_SHUFFLE_H

#include "engine/pool.h"

#include <stdbool.h>
#include <stddef.h>

enum { ENG_SHUFFLE_MAX_PARTS = 2 };

struct eng_channel_shuffle {
    size_t n_images, n_pixels; /* of an image */
    size_t n_groups, per_group;
    size_t first, count;
    bool last; /* channels last: [n_images, n_pixels, channels], else [n_images, channels, n_pixels]
                */
    size_t n_parts; /* 1: x[0] holds all groups; 2: x[i] holds group i of two */
};

/* Purpose: y of x. Cost: one pass over both. */
void eng_channel_shuffle(const struct eng_channel_shuffle *s, const float *const *x, float *y,
                         struct eng_pool *pool);

#endif
