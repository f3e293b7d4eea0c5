/* Geometry, normalising and layout. Colour is in color.c, resampling in resize.c. */
#include "engine/preprocess.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/color.h"
#include "image/resize.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

/* One axis of the model's input: the part of it that the resized picture covers. */
struct placement {
    struct eng_axis axis;
    uint32_t at; /* first sample that is covered; what is not stays black */
};

uint32_t eng_preprocess_channels(const struct eng_preprocess *pre)
{
    return pre->color == ENG_COLOR_GRAY ? 1 : 3;
}

size_t eng_preprocess_count(const struct eng_preprocess *pre)
{
    return (size_t)pre->width_px * pre->height_px * eng_preprocess_channels(pre);
}

/* One channel of n pixels. Inlined with constant strides: stride 1 is vectorised. */
static inline __attribute__((always_inline)) void
normalize_channel(const float *restrict src, size_t src_stride, float scale, float mean, float std,
                  size_t n, float *restrict dst, size_t dst_stride)
{
    for (size_t i = 0; i < n; i++)
        dst[i * dst_stride] = (src[i * src_stride] * scale - mean) / std;
}

/* n pixels of the picture, the first being pixel number `first` of the sample. */
static void normalize(const struct eng_preprocess *pre, const float *src, size_t first, size_t n,
                      float *dst)
{
    size_t plane = (size_t)pre->width_px * pre->height_px;
    if (pre->color == ENG_COLOR_GRAY) {
        normalize_channel(src, 1, pre->scale, pre->mean[0], pre->std[0], n, dst + first, 1);
        return;
    }
    for (size_t c = 0; c < 3; c++) {
        const float *from = src + (pre->color == ENG_COLOR_BGR ? 2 - c : c);
        if (pre->layout == ENG_LAYOUT_CHW)
            normalize_channel(from, 3, pre->scale, pre->mean[c], pre->std[c], n,
                              dst + c * plane + first, 1);
        else
            normalize_channel(from, 3, pre->scale, pre->mean[c], pre->std[c], n,
                              dst + 3 * first + c, 3);
    }
}

static void normalize_bytes(const struct eng_preprocess *pre, const uint8_t *src, size_t first,
                            size_t n, float *dst)
{
    enum { BLOCK = 256 };
    float block[3 * BLOCK];
    uint32_t n_channels = eng_preprocess_channels(pre);
    for (size_t done = 0; done < n; done += BLOCK) {
        size_t n_now = n - done < BLOCK ? n - done : BLOCK;
        for (size_t i = 0; i < n_now * n_channels; i++)
            block[i] = src[done * n_channels + i];
        normalize(pre, block, first + done, n_now, dst);
    }
}

void eng_preprocess_pixels(const struct eng_preprocess *pre, const float *src, float *dst)
{
    normalize(pre, src, 0, (size_t)pre->width_px * pre->height_px, dst);
}

void eng_preprocess_bytes(const struct eng_preprocess *pre, const uint8_t *src, float *dst)
{
    normalize_bytes(pre, src, 0, (size_t)pre->width_px * pre->height_px, dst);
}

/* Half of n as Python's round() gives it: halves go to the even neighbour. */
static uint64_t round_half(uint64_t n)
{
    return n / 2 + (n % 4 == 3 ? 1 : 0);
}

static struct placement stretch(uint32_t n_in, uint32_t n_model)
{
    return (struct placement){{n_in, n_model, 0, n_model}, 0};
}

/* torchvision 0.14, CenterCrop: a picture that is too small is padded, the odd pixel after it. */
static struct placement center_crop(uint32_t n_in, uint64_t n_resized, uint32_t n_model)
{
    if (n_resized >= n_model)
        return (struct placement){{n_in, n_resized, round_half(n_resized - n_model), n_model}, 0};
    uint32_t n = (uint32_t)n_resized;
    return (struct placement){{n_in, n, 0, n}, (n_model - n) / 2};
}

/* torchvision 0.14, Resize(int): the longer side is cut to a whole number, not rounded. */
static uint64_t resized_side(uint32_t n_in, uint32_t n_in_shorter, uint32_t n_shorter)
{
    return (uint64_t)n_in * n_shorter / n_in_shorter;
}

static void place(const struct eng_preprocess *pre, const struct eng_image *image,
                  struct placement *x, struct placement *y)
{
    uint32_t width = image->width_px, height = image->height_px;
    if (pre->resize == ENG_RESIZE_STRETCH) {
        *x = stretch(width, pre->width_px);
        *y = stretch(height, pre->height_px);
        return;
    }
    uint32_t shorter = width < height ? width : height;
    *x = center_crop(width, resized_side(width, shorter, pre->shorter_side_px), pre->width_px);
    *y = center_crop(height, resized_side(height, shorter, pre->shorter_side_px), pre->height_px);
}

/* The picture already has the model's size: no resampling, cropping or padding. */
static bool is_whole(const struct placement *p, uint32_t n_model)
{
    return p->axis.n_in == n_model && p->axis.n_resized == n_model;
}

static enum eng_status convert(const struct eng_preprocess *pre, const struct eng_image *image,
                               float *dst, struct eng_error *err)
{
    uint32_t n_channels = eng_preprocess_channels(pre);
    if (image->n_channels == n_channels) {
        eng_preprocess_bytes(pre, image->pixels, dst);
        return ENG_OK;
    }
    uint8_t *row = eng_calloc(image->width_px, n_channels);
    if (!row) return eng_fail_memory(err, "converting a picture's colours");
    for (uint32_t y = 0; y < image->height_px; y++) {
        const uint8_t *colors = eng_color_row(image, y, n_channels, row);
        normalize_bytes(pre, colors, (size_t)y * image->width_px, image->width_px, dst);
    }
    free(row);
    return ENG_OK;
}

static enum eng_status resample(const struct eng_preprocess *pre, const struct eng_image *image,
                                const struct placement *x, const struct placement *y, float *dst,
                                struct eng_error *err)
{
    uint32_t n_channels = eng_preprocess_channels(pre);
    size_t stride = (size_t)pre->width_px * n_channels;
    uint8_t *pixels = eng_calloc(pre->height_px, stride);
    if (!pixels) return eng_fail_memory(err, "the resized picture");
    enum eng_status status =
        eng_resize(image, n_channels, &x->axis, &y->axis, &eng_filter_bilinear,
                   pixels + y->at * stride + (size_t)x->at * n_channels, stride, err);
    if (status == ENG_OK) eng_preprocess_bytes(pre, pixels, dst);
    free(pixels);
    return status;
}

static enum eng_status check_side(const char *what, uint32_t n_px, struct eng_error *err)
{
    if (n_px > 0 && n_px <= ENG_IMAGE_MAX_SIDE_PX) return ENG_OK;
    return eng_fail(err, ENG_LIMIT, "%s is %" PRIu32 " pixels, it may be 1 to %d", what, n_px,
                    ENG_IMAGE_MAX_SIDE_PX);
}

static enum eng_status check_sides(const struct eng_preprocess *pre, const struct eng_image *image,
                                   struct eng_error *err)
{
    enum eng_status status = check_side("the picture's width", image->width_px, err);
    if (status == ENG_OK) status = check_side("the picture's height", image->height_px, err);
    if (status == ENG_OK) status = check_side("the model's width", pre->width_px, err);
    if (status == ENG_OK) status = check_side("the model's height", pre->height_px, err);
    if (status == ENG_OK && pre->resize == ENG_RESIZE_CENTER_CROP)
        status = check_side("the model's shorter side", pre->shorter_side_px, err);
    return status;
}

enum eng_status eng_preprocess_image(const struct eng_preprocess *pre,
                                     const struct eng_image *image, float *dst,
                                     struct eng_error *err)
{
    enum eng_status status = check_sides(pre, image, err);
    if (status != ENG_OK) return status;
    struct placement x, y;
    place(pre, image, &x, &y);
    if (is_whole(&x, pre->width_px) && is_whole(&y, pre->height_px))
        return convert(pre, image, dst, err);
    return resample(pre, image, &x, &y, dst, err);
}
