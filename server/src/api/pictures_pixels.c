#include "api/pictures.h"
#include "base/fail.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RANK = 4 };

/* The shape of nested lists, told by the first of each; fill() checks that all others agree. */
struct nested {
    size_t rank, dim[MAX_RANK];
};

static bool read_shape(const json_t *value, struct nested *shape)
{
    shape->rank = 0;
    for (; json_is_array(value); value = json_array_get(value, 0)) {
        if (shape->rank == MAX_RANK || json_array_size(value) == 0) return false;
        shape->dim[shape->rank++] = json_array_size(value);
    }
    return shape->rank > 0;
}

static void format_shape(const size_t *dim, size_t rank, char *text, size_t n)
{
    size_t used = 0;
    for (size_t i = 0; i < rank && used < n; i++)
        used += (size_t)snprintf(text + used, n - used, "%s%zu", i ? ", " : "[", dim[i]);
    if (used < n) snprintf(text + used, n - used, "]");
}

static bool ends_in(const struct nested *shape, size_t skip, const size_t *dim, size_t rank)
{
    return shape->rank == skip + rank && memcmp(shape->dim + skip, dim, rank * sizeof *dim) == 0;
}

/* True if shape, without its first skip dimensions, is one picture: [H, W, C], flat, or [H, W] in
 * grey. */
static bool is_picture(const struct nested *shape, size_t skip, const size_t hwc[3])
{
    size_t flat = hwc[0] * hwc[1] * hwc[2];
    return ends_in(shape, skip, hwc, 3) || ends_in(shape, skip, &flat, 1) ||
           (hwc[2] == 1 && ends_in(shape, skip, hwc, 2));
}

/* Writes value's numbers to *to and moves it on; value has the shape from level on. */
static enum srv_code fill(const json_t *value, const struct nested *shape, size_t level, float **to,
                          struct eng_error *err)
{
    if (level < shape->rank) {
        if (!json_is_array(value) || json_array_size(value) != shape->dim[level]) {
            srv_fail(err, ENG_FORMAT,
                     "the lists of \"pixels\" are not all of one length: wanted %zu "
                     "values in each of depth %zu",
                     shape->dim[level], level + 1);
            return SRV_INVALID_REQUEST;
        }
        enum srv_code code = SRV_OK;
        for (size_t i = 0; i < shape->dim[level] && code == SRV_OK; i++)
            code = fill(json_array_get(value, i), shape, level + 1, to, err);
        return code;
    }
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0 && number <= 255)) {
        if (json_is_number(value))
            srv_fail(err, ENG_FORMAT, "\"pixels\" holds %.9g; wanted numbers from 0 to 255",
                     number);
        else
            srv_fail(err, ENG_FORMAT, "\"pixels\" holds something that is no number");
        return SRV_INVALID_REQUEST;
    }
    *(*to)++ = (float)number;
    return SRV_OK;
}

static enum srv_code fail_shape(const struct nested *shape, const size_t hwc[3],
                                struct eng_error *err)
{
    char found[120], wanted[80];
    format_shape(shape->dim, shape->rank, found, sizeof found);
    format_shape(hwc, 3, wanted, sizeof wanted);
    srv_fail(
        err, ENG_FORMAT,
        "\"pixels\" has the shape %s; wanted %s (height, width, channels), that flat, or a list "
        "of those",
        shape->rank > 0 ? found : "of no list of numbers", wanted);
    return SRV_INVALID_REQUEST;
}

enum srv_code srv_pictures_read_pixels(const void *value, const struct eng_card *card,
                                       const struct srv_pictures_limits *limits,
                                       struct srv_pictures *out, struct eng_error *err)
{
    const struct eng_preprocess *pre = &card->preprocess;
    const size_t hwc[3] = {pre->height_px, pre->width_px, eng_preprocess_channels(pre)};
    size_t n_floats = hwc[0] * hwc[1] * hwc[2];
    struct nested shape;
    if (!read_shape(value, &shape)) {
        shape.rank = 0;
        return fail_shape(&shape, hwc, err);
    }
    bool is_one = is_picture(&shape, 0, hwc);
    if (!is_one && !is_picture(&shape, 1, hwc)) return fail_shape(&shape, hwc, err);
    struct srv_pictures pictures;
    enum srv_code code =
        srv_pictures_allocate(is_one ? 1 : shape.dim[0], true, limits, &pictures, err);
    if (code != SRV_OK) return code;
    pictures.is_list = !is_one;
    /* Without the first dimension each picture of the list looks like a lone one. */
    struct nested each = shape;
    if (!is_one) memmove(each.dim, each.dim + 1, --each.rank * sizeof each.dim[0]);
    for (size_t i = 0; i < pictures.n_samples && code == SRV_OK; i++) {
        float *floats = malloc(n_floats * sizeof *floats), *to = floats;
        if (!floats) {
            srv_fail_memory(err, "\"pixels\"");
            code = SRV_INTERNAL;
            break;
        }
        pictures.samples[i] =
            (struct srv_sample){SRV_SAMPLE_PIXELS, floats, n_floats * sizeof *floats};
        code = fill(is_one ? value : json_array_get(value, i), &each, 0, &to, err);
    }
    if (code == SRV_OK)
        *out = pictures;
    else
        srv_pictures_fini(&pictures);
    return code;
}
