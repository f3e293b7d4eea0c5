#include "train/picture_fit.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/color.h"
#include "image/resize.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum eng_status eng_picture_fit(const struct eng_image *image, uint32_t width_px,
                                uint32_t height_px, uint32_t n_channels, uint8_t *dst,
                                struct eng_error *err)
{
    static const struct eng_sampling how = {.filter = ENG_FILTER_BILINEAR};
    size_t row_bytes = (size_t)width_px * n_channels;
    if (image->width_px == width_px && image->height_px == height_px) {
        for (uint32_t y = 0; y < height_px; y++, dst += row_bytes) {
            const uint8_t *row = eng_color_row(image, y, n_channels, how.background, dst);
            if (row != dst) memcpy(dst, row, row_bytes);
        }
        return ENG_OK;
    }
    const struct eng_axis x = {image->width_px, width_px, 0, width_px};
    const struct eng_axis y = {image->height_px, height_px, 0, height_px};
    return eng_resize(image, n_channels, &x, &y, &how, dst, row_bytes, err);
}

struct fitting {
    const struct eng_dataset *from;
    const struct eng_dataset *to; /* its pixels are written */
    atomic_bool failed;           /* memory is all that can be lacking */
};

static void fit_range(void *ctx, size_t begin, size_t end)
{
    struct fitting *f = ctx;
    const struct eng_dataset *from = f->from, *to = f->to;
    for (size_t i = begin; i < end && !atomic_load(&f->failed); i++) {
        const struct eng_image image = {
            .width_px = from->width_px,
            .height_px = from->height_px,
            .n_channels = from->n_channels,
            .pixels = from->pixels + i * eng_dataset_sample_bytes(from),
        };
        if (eng_picture_fit(&image, to->width_px, to->height_px, to->n_channels,
                            to->pixels + i * eng_dataset_sample_bytes(to), NULL) != ENG_OK)
            atomic_store(&f->failed, true);
    }
}

enum eng_status eng_dataset_fit(struct eng_dataset *set, const struct eng_dataset_options *options,
                                struct eng_pool *pool, struct eng_error *err)
{
    enum { GRAIN = 64 };
    struct eng_dataset to = *set;
    size_t n_bytes;
    if (options->width_px) to.width_px = options->width_px;
    if (options->height_px) to.height_px = options->height_px;
    if (options->n_channels) to.n_channels = options->n_channels;
    if (to.width_px == set->width_px && to.height_px == set->height_px &&
        to.n_channels == set->n_channels)
        return ENG_OK;
    if (!eng_mul_size(to.n, eng_dataset_sample_bytes(&to), &n_bytes) ||
        n_bytes > ENG_DATASET_MAX_BYTES)
        return eng_fail(err, ENG_LIMIT,
                        "%zu pictures of %u x %u x %u bytes; the limit of a data set is %zu bytes",
                        to.n, to.width_px, to.height_px, to.n_channels, ENG_DATASET_MAX_BYTES);
    to.pixels = malloc(n_bytes);
    if (!to.pixels) return eng_fail_memory(err, "a data set");
    struct fitting fitting = {.from = set, .to = &to};
    eng_pool_for(pool, set->n, GRAIN, fit_range, &fitting);
    if (atomic_load(&fitting.failed)) {
        free(to.pixels);
        return eng_fail_memory(err, "resizing pictures");
    }
    free(set->pixels);
    *set = to;
    return ENG_OK;
}
