#include "train/dataset_idx.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two zero bytes, the element type (8: unsigned byte), the number of dimensions. */
enum { IDX_IMAGES = 0x00000803, IDX_LABELS = 0x00000801 };

struct idx_header {
    uint32_t dim[3];
    const uint8_t *data;
};

static enum eng_status read_header(const char *name, const void *bytes, size_t n_bytes,
                                   uint32_t magic, struct idx_header *out, struct eng_error *err)
{
    struct eng_cursor c = eng_cursor_over(bytes, n_bytes);
    uint32_t found = eng_cursor_be32(&c);
    if (c.failed)
        return eng_fail(err, ENG_FORMAT, "%s: %zu bytes; wanted at least the 4 of the magic number",
                        name, n_bytes);
    if (found != magic)
        return eng_fail(err, ENG_FORMAT, "%s: magic number 0x%08x; wanted 0x%08x (IDX %s)", name,
                        found, magic, magic == IDX_IMAGES ? "images" : "labels");
    size_t n_dims = magic & 0xff, count = 1;
    for (size_t i = 0; i < n_dims; i++) {
        out->dim[i] = eng_cursor_be32(&c);
        if (c.failed)
            return eng_fail(err, ENG_FORMAT, "%s: the header ends after %zu of %zu dimensions",
                            name, i, n_dims);
        if (out->dim[i] == 0)
            return eng_fail(err, ENG_FORMAT, "%s: dimension %zu is 0; wanted at least 1", name, i);
        if (!eng_mul_size(count, out->dim[i], &count) || count > ENG_DATASET_MAX_BYTES)
            return eng_fail(err, ENG_LIMIT, "%s: the dimensions ask for more than %zu bytes", name,
                            ENG_DATASET_MAX_BYTES);
    }
    size_t left = eng_cursor_left(&c), sample = count / out->dim[0];
    if (left < count)
        return eng_fail(err, ENG_FORMAT,
                        "%s: ends in record %zu; the header promises %u of %zu bytes", name,
                        left / sample, out->dim[0], sample);
    if (left > count)
        return eng_fail(err, ENG_FORMAT, "%s: %zu bytes follow the last of the %u records", name,
                        left - count, out->dim[0]);
    out->data = c.at;
    return ENG_OK;
}

static enum eng_status check_images(const char *name, const struct idx_header *images,
                                    struct eng_error *err)
{
    if (images->dim[1] > ENG_DATASET_MAX_SIDE_PX || images->dim[2] > ENG_DATASET_MAX_SIDE_PX)
        return eng_fail(err, ENG_LIMIT, "%s: pictures of %u x %u; the limit is %d pixels a side",
                        name, images->dim[2], images->dim[1], ENG_DATASET_MAX_SIDE_PX);
    return ENG_OK;
}

static enum eng_status fill(const struct idx_header *images, const struct idx_header *labels,
                            struct eng_dataset *out, struct eng_error *err)
{
    struct eng_dataset set = {.kind = ENG_DATASET_PICTURES,
                              .width_px = images->dim[2],
                              .height_px = images->dim[1],
                              .n_channels = 1,
                              .n = images->dim[0]};
    size_t n_bytes = set.n * eng_dataset_sample_bytes(&set); /* bounded by read_header */
    set.pixels = eng_calloc(n_bytes, 1);
    set.labels = eng_calloc(set.n, sizeof *set.labels);
    if (!set.pixels || !set.labels) {
        eng_dataset_fini(&set);
        return eng_fail_memory(err, "a data set");
    }
    memcpy(set.pixels, images->data, n_bytes);
    for (size_t i = 0; i < set.n; i++) {
        set.labels[i] = labels->data[i];
        if (set.labels[i] >= set.n_classes) set.n_classes = (size_t)set.labels[i] + 1;
    }
    *out = set;
    return ENG_OK;
}

enum eng_status eng_idx_parse(const char *images_name, const void *images, size_t n_image_bytes,
                              const char *labels_name, const void *labels, size_t n_label_bytes,
                              struct eng_dataset *out, struct eng_error *err)
{
    struct idx_header image_header = {0}, label_header = {0};
    enum eng_status status =
        read_header(images_name, images, n_image_bytes, IDX_IMAGES, &image_header, err);
    if (status == ENG_OK) status = check_images(images_name, &image_header, err);
    if (status == ENG_OK)
        status = read_header(labels_name, labels, n_label_bytes, IDX_LABELS, &label_header, err);
    if (status != ENG_OK) return status;
    if (image_header.dim[0] != label_header.dim[0])
        return eng_fail(err, ENG_FORMAT,
                        "%s holds %u labels; wanted %u, as many as %s holds pictures", labels_name,
                        label_header.dim[0], image_header.dim[0], images_name);
    return fill(&image_header, &label_header, out, err);
}

/* The names in use for one split; each may also end in .gz. */
static const char *const images_names[][2] = {
    [ENG_SPLIT_TRAIN] = {"train-images-idx3-ubyte", "train-images.idx3-ubyte"},
    [ENG_SPLIT_TEST] = {"t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"},
};
static const char *const labels_names[][2] = {
    [ENG_SPLIT_TRAIN] = {"train-labels-idx1-ubyte", "train-labels.idx1-ubyte"},
    [ENG_SPLIT_TEST] = {"t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"},
};

/* Purpose: the first of the names that exists in dir, plain or .gz. False: none. */
static bool find_file(const char *dir, const char *const names[2], char path[PATH_MAX])
{
    static const char *const endings[] = {"", ".gz"};
    for (size_t k = 0; k < 2; k++)
        for (size_t e = 0; e < 2; e++) {
            int n = snprintf(path, PATH_MAX, "%s/%s%s", dir, names[k], endings[e]);
            if (n > 0 && n < PATH_MAX && eng_file_exists(path)) return true;
        }
    return false;
}

static bool recognise(const char *dir)
{
    char path[PATH_MAX];
    return find_file(dir, images_names[ENG_SPLIT_TRAIN], path) ||
           find_file(dir, images_names[ENG_SPLIT_TEST], path);
}

static enum eng_status read_file(const char *dir, const char *const names[2], size_t max_bytes,
                                 char path[PATH_MAX], struct eng_file *out, struct eng_error *err)
{
    if (!find_file(dir, names, path))
        return eng_fail(err, ENG_NOT_FOUND, "%s: no file %s or %s.gz", dir, names[0], names[0]);
    return eng_file_read_gzip(path, max_bytes, out, err);
}

static enum eng_status load(const struct eng_dataset_source *source, struct eng_dataset *out,
                            struct eng_error *err)
{
    enum { HEADER_BYTES = 16, MAX_LABEL_BYTES = 1 << 28 };
    char images_path[PATH_MAX], labels_path[PATH_MAX];
    struct eng_file images = {0}, labels = {0};
    enum eng_status status =
        read_file(source->dir, images_names[source->split], ENG_DATASET_MAX_BYTES + HEADER_BYTES,
                  images_path, &images, err);
    if (status == ENG_OK)
        status = read_file(source->dir, labels_names[source->split], MAX_LABEL_BYTES, labels_path,
                           &labels, err);
    if (status == ENG_OK)
        status = eng_idx_parse(images_path, images.bytes, images.n_bytes, labels_path, labels.bytes,
                               labels.n_bytes, out, err);
    eng_file_fini(&images);
    eng_file_fini(&labels);
    return status;
}

const struct eng_dataset_format eng_dataset_format_idx = {
    .name = "IDX",
    .wanted = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-..., plain or .gz",
    .recognise = recognise,
    .load = load,
};
