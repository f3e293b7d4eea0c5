/* From a picture to a model's input: part of the model, shared by trainer, tools and daemon. */
#ifndef ENGINE_PREPROCESS_H
#define ENGINE_PREPROCESS_H

#include "engine/image.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum eng_color { ENG_COLOR_GRAY, ENG_COLOR_RGB, ENG_COLOR_BGR };

enum eng_resize {
    ENG_RESIZE_STRETCH,     /* to width x height, whatever the picture's shape */
    ENG_RESIZE_CENTER_CROP, /* shorter side to shorter_side_px, then the middle width x height */
    ENG_RESIZE_LETTERBOX,   /* as large as fits, the rest background, the picture in the middle */
};

/*
 * How pixels between pixels are made, and whose way it is:
 *              aliased false                  aliased true
 *   BILINEAR   Pillow BILINEAR                torch and OpenCV bilinear: 2 x 2 pixels, however far
 *                                             the picture is reduced
 *   BICUBIC    Pillow BICUBIC (a = -0.5)      torch and OpenCV bicubic (a = -0.75): 4 x 4 pixels
 *   NEAREST    Pillow NEAREST: the pixel      torch and OpenCV nearest: the pixel under the upper
 *              under the centre               left corner
 */
enum eng_filter { ENG_FILTER_BILINEAR, ENG_FILTER_BICUBIC, ENG_FILTER_NEAREST };

enum eng_layout { ENG_LAYOUT_CHW, ENG_LAYOUT_HWC };

/* value = (pixel * scale - mean[c]) / std[c], pixel 0..255, c in the model's channel order. */
struct eng_preprocess {
    enum eng_color color;
    enum eng_resize resize;
    enum eng_layout layout;
    enum eng_filter filter;
    bool aliased;          /* reducing does not average: see enum eng_filter */
    uint8_t background[3]; /* red, green, blue: what stands under alpha and around a letterbox */
    uint32_t width_px;
    uint32_t height_px;
    uint32_t shorter_side_px; /* CENTER_CROP only */
    float scale;
    float mean[3];
    float std[3];
};

/* Purpose: 1 for grey, else 3. */
uint32_t eng_preprocess_channels(const struct eng_preprocess *pre);

/* Purpose: floats of one prepared sample: channels x height x width. */
size_t eng_preprocess_count(const struct eng_preprocess *pre);

/*
 * Purpose: puts the picture on the background, converts colour, resizes, crops, normalises and lays
 * out one picture.
 * Shapes: dst holds eng_preprocess_count(pre) floats, [C, H, W] or [H, W, C].
 * Errors: NO_MEMORY, LIMIT. dst is unspecified on failure.
 * Threads: any. Cost: linear in the picture; a picture of the model's size is not resampled.
 * Source: Pillow 9.4 - Image.alpha_composite, Image.convert (L = (19595 R + 38470 G + 7471 B +
 * 32768) >> 16), Image.resize, ImageOps.pad (letterbox); torchvision's Resize + CenterCrop
 * rounding.
 */
enum eng_status eng_preprocess_image(const struct eng_preprocess *pre,
                                     const struct eng_image *image, float *dst,
                                     struct eng_error *err);

/*
 * Purpose: eng_image_decode and eng_preprocess_image in one: the same sample, or the same error. An
 *          upright JPEG is resized while it is read, so that its pixels never lie in memory.
 * Errors: those of both.
 */
enum eng_status eng_preprocess_encoded(const struct eng_preprocess *pre, const void *bytes,
                                       size_t n_bytes, const struct eng_image_limits *limits,
                                       float *dst, struct eng_error *err);

/*
 * Purpose: the very picture that the model sees: all of the above but normalising and layout.
 * Shapes: out has the model's size, in grey or RGB (for a BGR model too); the rounded bytes are
 * those that eng_preprocess_image normalises.
 * Ownership: on success the caller ends out with eng_image_fini; untouched on failure.
 * Errors, Threads, Cost: as above.
 */
enum eng_status eng_preprocess_picture(const struct eng_preprocess *pre,
                                       const struct eng_image *image, struct eng_image *out,
                                       struct eng_error *err);

/* One axis of where the model looks: its pixel is picture's pixel x scale + offset, both counted
 * from the border. */
struct eng_preprocess_axis {
    double scale, offset;
};

/* Purpose: which part of a picture of that size the model sees, and where. Sides as in struct
 * eng_image, none 0. Cannot fail. */
void eng_preprocess_window(const struct eng_preprocess *pre, uint32_t width_px, uint32_t height_px,
                           struct eng_preprocess_axis *x, struct eng_preprocess_axis *y);

/*
 * Purpose: normalises and lays out a sample that already has the model's size and colour.
 * Shapes: src [H, W, C], values 0..255; dst as above. Cannot fail.
 */
void eng_preprocess_pixels(const struct eng_preprocess *pre, const float *src, float *dst);

/* The same from bytes. */
void eng_preprocess_bytes(const struct eng_preprocess *pre, const uint8_t *src, float *dst);

#endif
