/* A tiny labelled data set in IDX files: the class is the quarter of the picture that is bright. */
#ifndef TESTS_TINY_DIGITS_H
#define TESTS_TINY_DIGITS_H

#include "base/rng.h"
#include "temp_folder.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { TINY_SIDE_PX = 8, TINY_CLASSES = 4 };

/* Noise of 0..99 everywhere, 100 more in the class's quarter. */
static inline void tiny_digits_sample(struct eng_rng *rng, unsigned label, uint8_t *pixels)
{
    for (unsigned y = 0; y < TINY_SIDE_PX; y++)
        for (unsigned x = 0; x < TINY_SIDE_PX; x++) {
            unsigned quarter = y / (TINY_SIDE_PX / 2) * 2 + x / (TINY_SIDE_PX / 2);
            pixels[y * TINY_SIDE_PX + x] =
                (uint8_t)(eng_rng_below(rng, 100) + (quarter == label ? 100 : 0));
        }
}

static inline FILE *tiny_digits_open(struct temp_folder *folder, const char *name)
{
    FILE *file = fopen(temp_folder_file(folder, name), "wb");
    if (!file) {
        perror(folder->file);
        exit(1);
    }
    return file;
}

static inline void tiny_digits_split(struct temp_folder *folder, const char *images_name,
                                     const char *labels_name, unsigned n, uint64_t stream)
{
    const uint8_t high = (uint8_t)(n >> 8), low = (uint8_t)n;
    const uint8_t image_header[] = {0, 0, 8, 3,           0, 0, high, low, 0, 0, 0, TINY_SIDE_PX,
                                    0, 0, 0, TINY_SIDE_PX};
    const uint8_t label_header[] = {0, 0, 8, 1, 0, 0, high, low};
    FILE *images = tiny_digits_open(folder, images_name);
    FILE *labels = tiny_digits_open(folder, labels_name);
    struct eng_rng rng;
    eng_rng_init(&rng, 17, stream);
    fwrite(image_header, 1, sizeof image_header, images);
    fwrite(label_header, 1, sizeof label_header, labels);
    for (unsigned i = 0; i < n; i++) {
        uint8_t pixels[TINY_SIDE_PX * TINY_SIDE_PX];
        unsigned label = (unsigned)eng_rng_below(&rng, TINY_CLASSES);
        tiny_digits_sample(&rng, label, pixels);
        fwrite(pixels, 1, sizeof pixels, images);
        fputc((int)label, labels);
    }
    fclose(images);
    fclose(labels);
}

/* Purpose: writes the four files, n_train and n_test below 65536. */
static inline void tiny_digits_write(struct temp_folder *folder, unsigned n_train, unsigned n_test)
{
    tiny_digits_split(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", n_train, 0);
    tiny_digits_split(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", n_test, 1);
}

#endif
