#include "train/dataset_cifar.h"

#include "base/error.h"
#include "base/file.h"
#include "train/class_names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Red, green and blue planes into pixels of three bytes. */
static void interleave(const uint8_t *planes, uint8_t *pixels)
{
    for (size_t i = 0; i < ENG_CIFAR_PLANE_BYTES; i++)
        for (size_t c = 0; c < 3; c++)
            pixels[3 * i + c] = planes[c * ENG_CIFAR_PLANE_BYTES + i];
}

/* Room for n more pictures and labels. */
static enum eng_status grow(struct eng_dataset *set, size_t n, struct eng_error *err)
{
    uint8_t *pixels = realloc(set->pixels, (set->n + n) * ENG_CIFAR_PICTURE_BYTES);
    if (pixels) set->pixels = pixels;
    uint16_t *labels = pixels ? realloc(set->labels, (set->n + n) * sizeof *labels) : NULL;
    if (labels) set->labels = labels;
    return labels ? ENG_OK : eng_fail_memory(err, "a data set");
}

static enum eng_status check_size(const char *name, size_t n_bytes, size_t record_bytes,
                                  const struct eng_dataset *set, struct eng_error *err)
{
    size_t n = n_bytes / record_bytes;
    if (n_bytes == 0)
        return eng_fail(err, ENG_FORMAT, "%s: empty; wanted records of %zu bytes", name,
                        record_bytes);
    if (n_bytes % record_bytes)
        return eng_fail(err, ENG_FORMAT, "%s: ends in record %zu after %zu of its %zu bytes", name,
                        n, n_bytes % record_bytes, record_bytes);
    if (n > ENG_DATASET_MAX_BYTES / ENG_CIFAR_PICTURE_BYTES - set->n)
        return eng_fail(err, ENG_LIMIT,
                        "%s: %zu more pictures; the limit of a data set is %zu bytes", name, n,
                        ENG_DATASET_MAX_BYTES);
    return ENG_OK;
}

enum eng_status eng_cifar_append(const char *name, const void *bytes, size_t n_bytes,
                                 const struct eng_cifar_layout *layout, struct eng_dataset *set,
                                 struct eng_error *err)
{
    size_t record_bytes = layout->n_label_bytes + ENG_CIFAR_PICTURE_BYTES;
    size_t n = n_bytes / record_bytes;
    enum eng_status status = check_size(name, n_bytes, record_bytes, set, err);
    if (status == ENG_OK) status = grow(set, n, err);
    if (status != ENG_OK) return status;
    const uint8_t *record = bytes;
    for (size_t i = 0; i < n; i++, record += record_bytes) {
        uint8_t label = record[layout->label_at];
        if (label >= layout->n_classes)
            return eng_fail(err, ENG_FORMAT, "%s: record %zu has label %u; wanted 0 to %zu", name,
                            i, label, layout->n_classes - 1);
        interleave(record + layout->n_label_bytes,
                   set->pixels + (set->n + i) * ENG_CIFAR_PICTURE_BYTES);
        set->labels[set->n + i] = label;
    }
    set->width_px = set->height_px = ENG_CIFAR_SIDE_PX;
    set->n_channels = 3;
    set->n_classes = layout->n_classes;
    set->n += n;
    return ENG_OK;
}

/* Which files make up a data set. */
struct files {
    const char *const *records; /* NULL-terminated, read in this order */
    const char *names;          /* of the classes; the file may be missing */
};

static enum eng_status join(const char *dir, const char *name, char path[PATH_MAX],
                            struct eng_error *err)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX
               ? ENG_OK
               : eng_fail(err, ENG_ARGUMENT, "a folder's name is longer than %d bytes", PATH_MAX);
}

static bool has_file(const char *dir, const char *name)
{
    char path[PATH_MAX];
    return join(dir, name, path, NULL) == ENG_OK && eng_file_exists(path);
}

static enum eng_status read_records(const char *dir, const char *name,
                                    const struct eng_cifar_layout *layout, struct eng_dataset *set,
                                    struct eng_error *err)
{
    char path[PATH_MAX];
    struct eng_file file = {0};
    enum eng_status status = join(dir, name, path, err);
    if (status == ENG_OK) status = eng_file_read(path, ENG_DATASET_MAX_BYTES, &file, err);
    if (status == ENG_OK)
        status = eng_cifar_append(path, file.bytes, file.n_bytes, layout, set, err);
    eng_file_fini(&file);
    return status;
}

static enum eng_status read_names(const char *dir, const char *name, struct eng_dataset *set,
                                  struct eng_error *err)
{
    enum { MAX_BYTES = 1 << 16 };
    char path[PATH_MAX];
    struct eng_file file = {0};
    if (!has_file(dir, name)) return ENG_OK;
    enum eng_status status = join(dir, name, path, err);
    if (status == ENG_OK) status = eng_file_read(path, MAX_BYTES, &file, err);
    if (status == ENG_OK)
        status = eng_class_names_parse(path, file.bytes, file.n_bytes, set->n_classes,
                                       &set->class_names, err);
    eng_file_fini(&file);
    return status;
}

static enum eng_status load(const char *dir, const struct files *files,
                            const struct eng_cifar_layout *layout, struct eng_dataset *out,
                            struct eng_error *err)
{
    struct eng_dataset set = {.kind = ENG_DATASET_PICTURES};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; files->records[i] && status == ENG_OK; i++)
        status = read_records(dir, files->records[i], layout, &set, err);
    if (status == ENG_OK) status = read_names(dir, files->names, &set, err);
    if (status == ENG_OK)
        *out = set;
    else
        eng_dataset_fini(&set);
    return status;
}

static const char *const batches[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                      "data_batch_4.bin", "data_batch_5.bin", NULL};
static const char *const test_batches[] = {"test_batch.bin", NULL};
static const char *const train_100[] = {"train.bin", NULL};
static const char *const test_100[] = {"test.bin", NULL};

static bool recognise_10(const char *dir)
{
    return has_file(dir, batches[0]) || has_file(dir, test_batches[0]);
}

static enum eng_status load_10(const struct eng_dataset_source *source, struct eng_dataset *out,
                               struct eng_error *err)
{
    static const struct eng_cifar_layout layout = {1, 0, 10};
    const struct files files = {source->split == ENG_SPLIT_TRAIN ? batches : test_batches,
                                "batches.meta.txt"};
    return load(source->dir, &files, &layout, out, err);
}

static bool recognise_100(const char *dir)
{
    return has_file(dir, train_100[0]) || has_file(dir, test_100[0]);
}

static enum eng_status load_100(const struct eng_dataset_source *source, struct eng_dataset *out,
                                struct eng_error *err)
{
    static const struct eng_cifar_layout coarse = {2, 0, 20}, fine = {2, 1, 100};
    bool is_fine = source->options->cifar100_labels == ENG_CIFAR100_FINE;
    const struct files files = {source->split == ENG_SPLIT_TRAIN ? train_100 : test_100,
                                is_fine ? "fine_label_names.txt" : "coarse_label_names.txt"};
    return load(source->dir, &files, is_fine ? &fine : &coarse, out, err);
}

const struct eng_dataset_format eng_dataset_format_cifar10 = {
    .name = "CIFAR-10",
    .wanted = "data_batch_1.bin to data_batch_5.bin, test_batch.bin",
    .recognise = recognise_10,
    .load = load_10,
};

const struct eng_dataset_format eng_dataset_format_cifar100 = {
    .name = "CIFAR-100",
    .wanted = "train.bin, test.bin",
    .recognise = recognise_100,
    .load = load_100,
};
