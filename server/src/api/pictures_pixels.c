#include "api/pictures.h"
#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

static void format_shape(const size_t *dim, size_t rank, char *text, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < rank && used < n; i++)
        used += (size_t)snprintf(text + used, n - used, "%s%zu", i ? ", " : "[", dim[i]);
    if (used < n) snprintf(text + used, n - used, "]");
}

static bool ends_in(const struct srv_json_numbers *shape, size_t skip, const size_t *dim,
                    size_t rank)
{
    return shape->rank == skip + rank && memcmp(shape->dim + skip, dim, rank * sizeof *dim) == 0;
}

/* True if the shape, without its first skip dimensions, is one picture: [H, W, C], flat, or [H, W]
 * in grey. */
static bool is_picture(const struct srv_json_numbers *shape, size_t skip, const size_t hwc[3])
{
    size_t flat = hwc[0] * hwc[1] * hwc[2];
    return ends_in(shape, skip, hwc, 3) || ends_in(shape, skip, &flat, 1) ||
           (hwc[2] == 1 && ends_in(shape, skip, hwc, 2));
}

static bool fail_shape(struct srv_json *json, const struct srv_json_numbers *shape,
                       const size_t hwc[3])
{
    char found[200], wanted[80];
    format_shape(shape->dim, shape->rank, found, sizeof found);
    format_shape(hwc, 3, wanted, sizeof wanted);
    return srv_json_fail(json,
                         "the shape is %s; wanted %s (height, width, channels), that flat, or a "
                         "list of those",
                         found, wanted);
}

static bool check_range(struct srv_json *json, const struct srv_json_numbers *pixels)
{
    for (size_t i = 0; i < pixels->n; i++)
        if (!(pixels->values[i] >= 0 && pixels->values[i] <= 255))
            return srv_json_fail(json, "number %zu is %.9g; wanted numbers from 0 to 255", i,
                                 (double)pixels->values[i]);
    return true;
}

bool srv_pictures_read_pixels(struct srv_json *json, const struct eng_card *card,
                              const struct srv_pictures_limits *limits, struct srv_pictures *out)
{
    const struct eng_preprocess *pre = &card->preprocess;
    const size_t hwc[3] = {pre->height_px, pre->width_px, eng_preprocess_channels(pre)};
    size_t n_floats = hwc[0] * hwc[1] * hwc[2];
    struct srv_json_numbers pixels;
    if (!srv_json_read_numbers(json, limits->n_json_values, &pixels)) return false;
    bool is_one = is_picture(&pixels, 0, hwc), is_right = is_one || is_picture(&pixels, 1, hwc);
    json->failed = srv_pictures_own_take(out, pixels.values, json->err) != ENG_OK;
    if (json->failed) return false;
    if (!is_right) return fail_shape(json, &pixels, hwc);
    if (!check_range(json, &pixels)) return false;
    out->is_list = !is_one;
    for (size_t i = 0; i < pixels.n && !json->failed; i += n_floats) {
        const struct srv_sample sample = {.kind = SRV_SAMPLE_PIXELS,
                                          .data = pixels.values + i,
                                          .n_bytes = n_floats * sizeof(float)};
        json->failed = srv_pictures_add(out, limits, sample, json->err) != ENG_OK;
    }
    return !json->failed;
}
