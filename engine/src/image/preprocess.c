/* Geometry, normalising and layout. Colour is in color.c, resampling in resize.c. */
#include "engine/preprocess.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/codec.h"
#include "image/color.h"
#include "image/resize.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* One axis of the model's input: the part of it that the resized picture covers. */
struct placement {
    struct eng_axis axis;
    uint32_t at; /* first sample that is covered; what is not is background */
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

/* n_in * n_shorter / n_in_shorter as Python's round() gives it. */
static uint64_t resized_side(uint32_t n_in, uint32_t n_in_shorter, uint32_t n_shorter)
{
    uint64_t product = (uint64_t)n_in * n_shorter;
    uint64_t n = product / n_in_shorter, twice_rest = product % n_in_shorter * 2;
    return n + (twice_rest > n_in_shorter || (twice_rest == n_in_shorter && n % 2 == 1) ? 1 : 0);
}

/* Pillow 9.4, ImageOps.pad: the side that does not fill the model's. */
static struct placement letterbox(uint32_t n_in, uint32_t n_in_other, uint32_t n_model,
                                  uint32_t n_model_other)
{
    double n = rint((double)n_in / n_in_other * n_model_other);
    uint32_t n_resized = n < 1 ? 1 : n > n_model ? n_model : (uint32_t)n;
    return (struct placement){{n_in, n_resized, 0, n_resized},
                              (uint32_t)round_half(n_model - n_resized)};
}

static void place_letterbox(const struct eng_preprocess *pre, uint32_t width, uint32_t height,
                            struct placement *x, struct placement *y)
{
    *x = stretch(width, pre->width_px);
    *y = stretch(height, pre->height_px);
    uint64_t shape = (uint64_t)width * pre->height_px, wanted = (uint64_t)height * pre->width_px;
    if (shape > wanted) *y = letterbox(height, width, pre->height_px, pre->width_px);
    if (shape < wanted) *x = letterbox(width, height, pre->width_px, pre->height_px);
}

static void place(const struct eng_preprocess *pre, uint32_t width, uint32_t height,
                  struct placement *x, struct placement *y)
{
    uint32_t shorter = width < height ? width : height;
    switch (pre->resize) {
    case ENG_RESIZE_STRETCH:
        *x = stretch(width, pre->width_px);
        *y = stretch(height, pre->height_px);
        break;
    case ENG_RESIZE_CENTER_CROP:
        *x = center_crop(width, resized_side(width, shorter, pre->shorter_side_px), pre->width_px);
        *y = center_crop(height, resized_side(height, shorter, pre->shorter_side_px),
                         pre->height_px);
        break;
    case ENG_RESIZE_LETTERBOX:
        place_letterbox(pre, width, height, x, y);
        break;
    }
}

static struct eng_preprocess_axis window(const struct placement *p)
{
    return (struct eng_preprocess_axis){
        .scale = (double)p->axis.n_resized / p->axis.n_in,
        .offset = (double)p->at - (double)p->axis.first,
    };
}

void eng_preprocess_window(const struct eng_preprocess *pre, uint32_t width_px, uint32_t height_px,
                           struct eng_preprocess_axis *x, struct eng_preprocess_axis *y)
{
    struct placement across, down;
    place(pre, width_px, height_px, &across, &down);
    *x = window(&across);
    *y = window(&down);
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
        const uint8_t *colors = eng_color_row(image, y, n_channels, pre->background, row);
        normalize_bytes(pre, colors, (size_t)y * image->width_px, image->width_px, dst);
    }
    free(row);
    return ENG_OK;
}

static void fill(const struct eng_preprocess *pre, uint8_t *pixels)
{
    uint32_t n_channels = eng_preprocess_channels(pre);
    size_t n_pixels = (size_t)pre->width_px * pre->height_px;
    uint8_t color[3];
    eng_color_convert(pre->background, n_channels, color);
    for (size_t i = 0; i < n_pixels; i++)
        memcpy(pixels + i * n_channels, color, n_channels);
}

/* The picture comes as an image or, that being NULL, as rows.
 * pixels: [height_px, width_px, channels] of the model's size. */
static enum eng_status resample(const struct eng_preprocess *pre, const struct eng_image *image,
                                const struct eng_rows *rows, const struct placement *x,
                                const struct placement *y, uint8_t *pixels, struct eng_error *err)
{
    struct eng_sampling how = {.filter = pre->filter, .aliased = pre->aliased};
    uint32_t n_channels = eng_preprocess_channels(pre);
    size_t stride = (size_t)pre->width_px * n_channels;
    memcpy(how.background, pre->background, sizeof how.background);
    if (x->axis.n_out < pre->width_px || y->axis.n_out < pre->height_px) fill(pre, pixels);
    uint8_t *dst = pixels + y->at * stride + (size_t)x->at * n_channels;
    if (image) return eng_resize(image, n_channels, &x->axis, &y->axis, &how, dst, stride, err);
    return eng_resize_rows(rows, n_channels, &x->axis, &y->axis, &how, dst, stride, err);
}

static enum eng_status check_side(const char *what, uint32_t n_px, struct eng_error *err)
{
    if (n_px > 0 && n_px <= ENG_IMAGE_MAX_SIDE_PX) return ENG_OK;
    return eng_fail(err, ENG_LIMIT, "%s is %" PRIu32 " pixels, it may be 1 to %d", what, n_px,
                    ENG_IMAGE_MAX_SIDE_PX);
}

static enum eng_status check_sides(const struct eng_preprocess *pre, uint32_t width_px,
                                   uint32_t height_px, struct eng_error *err)
{
    enum eng_status status = check_side("the picture's width", width_px, err);
    if (status == ENG_OK) status = check_side("the picture's height", height_px, err);
    if (status == ENG_OK) status = check_side("the model's width", pre->width_px, err);
    if (status == ENG_OK) status = check_side("the model's height", pre->height_px, err);
    if (status == ENG_OK && pre->resize == ENG_RESIZE_CENTER_CROP)
        status = check_side("the model's shorter side", pre->shorter_side_px, err);
    return status;
}

/* As resample: an image, or rows. */
static enum eng_status make_picture(const struct eng_preprocess *pre, const struct eng_image *image,
                                    const struct eng_rows *rows, struct eng_image *out,
                                    struct eng_error *err)
{
    uint32_t width_px = image ? image->width_px : rows->width_px;
    uint32_t height_px = image ? image->height_px : rows->height_px;
    enum eng_status status = check_sides(pre, width_px, height_px, err);
    if (status != ENG_OK) return status;
    struct placement x, y;
    place(pre, width_px, height_px, &x, &y);
    uint32_t n_channels = eng_preprocess_channels(pre);
    struct eng_image picture = {pre->width_px, pre->height_px, n_channels, NULL};
    picture.pixels = eng_calloc(pre->height_px, (size_t)pre->width_px * n_channels);
    if (!picture.pixels) return eng_fail_memory(err, "the resized picture");
    status = resample(pre, image, rows, &x, &y, picture.pixels, err);
    if (status == ENG_OK)
        *out = picture;
    else
        eng_image_fini(&picture);
    return status;
}

enum eng_status eng_preprocess_picture(const struct eng_preprocess *pre,
                                       const struct eng_image *image, struct eng_image *out,
                                       struct eng_error *err)
{
    return make_picture(pre, image, NULL, out, err);
}

enum eng_status eng_preprocess_image(const struct eng_preprocess *pre,
                                     const struct eng_image *image, float *dst,
                                     struct eng_error *err)
{
    enum eng_status status = check_sides(pre, image->width_px, image->height_px, err);
    if (status != ENG_OK) return status;
    struct placement x, y;
    place(pre, image->width_px, image->height_px, &x, &y);
    if (is_whole(&x, pre->width_px) && is_whole(&y, pre->height_px))
        return convert(pre, image, dst, err);
    struct eng_image picture;
    status = eng_preprocess_picture(pre, image, &picture, err);
    if (status != ENG_OK) return status;
    eng_preprocess_bytes(pre, picture.pixels, dst);
    eng_image_fini(&picture);
    return ENG_OK;
}

static enum eng_status prepare_whole(const struct eng_preprocess *pre, const void *bytes,
                                     size_t n_bytes, const struct eng_image_limits *limits,
                                     float *dst, struct eng_error *err)
{
    struct eng_image image;
    enum eng_status status = eng_image_decode(bytes, n_bytes, limits, &image, err);
    if (status != ENG_OK) return status;
    status = eng_preprocess_image(pre, &image, dst, err);
    eng_image_fini(&image);
    return status;
}

enum eng_status eng_preprocess_encoded(const struct eng_preprocess *pre, const void *bytes,
                                       size_t n_bytes, const struct eng_image_limits *limits,
                                       float *dst, struct eng_error *err)
{
    struct eng_codec_jpeg *jpeg = NULL;
    enum eng_status status = ENG_OK;
    if (eng_sampling_is_separable(pre->filter, pre->aliased))
        status = eng_codec_jpeg_open(bytes, n_bytes, limits, &jpeg, err);
    if (status != ENG_OK) return status;
    if (!jpeg) return prepare_whole(pre, bytes, n_bytes, limits, dst, err);
    const struct eng_rows rows = eng_codec_jpeg_rows(jpeg);
    struct eng_image picture = {0};
    status = make_picture(pre, NULL, &rows, &picture, err);
    if (status == ENG_OK) status = eng_codec_jpeg_end(jpeg);
    if (status == ENG_OK) eng_preprocess_bytes(pre, picture.pixels, dst);
    eng_image_fini(&picture);
    eng_codec_jpeg_close(jpeg);
    return status;
}
