/* Labelled samples in memory, read from a folder whose format is recognised by what it holds. */
#ifndef ENG_TRAIN_DATASET_H
#define ENG_TRAIN_DATASET_H

#include "engine/pool.h"
#include "engine/status.h"
#include "train/dataset_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum eng_split { ENG_SPLIT_TRAIN, ENG_SPLIT_TEST };

/* What a data set may cost, checked before memory is taken. */
enum {
    ENG_DATASET_MAX_SIDE_PX = 4096,
    ENG_DATASET_MAX_CLASSES = 65536,
};
#define ENG_DATASET_MAX_BYTES ((size_t)4 << 30)

/* What one sample is. */
enum eng_dataset_kind {
    ENG_DATASET_PICTURES, /* height_px x width_px x n_channels bytes, with a label */
    ENG_DATASET_VECTORS,  /* n_features numbers, with a label or (regression) a target */
};

struct eng_dataset {
    enum eng_dataset_kind kind;
    size_t n; /* samples, at least one */

    uint32_t width_px, height_px, n_channels; /* PICTURES; else 0 */
    uint8_t *pixels;                          /* PICTURES: [n, height_px, width_px, n_channels] */

    size_t n_features; /* VECTORS; else 0 */
    float *features;   /* VECTORS: [n, n_features] */

    uint16_t *labels; /* [n], each below n_classes; NULL: regression */
    size_t n_classes; /* that the data set names, or else the highest label + 1; 0: regression */
    float *targets;   /* [n], regression only; else NULL */

    const char **class_names;   /* [n_classes] in one block; NULL: they have no names */
    const char **feature_names; /* VECTORS: [n_features] in one block */
};

/* Which data to load. Borrowed. */
struct eng_dataset_source {
    const char *
        dir; /* the data set's folder or file, or the folder above; NULL: a toy, which takes none */
    const struct eng_dataset_options *options; /* NULL: the defaults */
    enum eng_split split;
    struct eng_pool *pool; /* decodes pictures; NULL: the calling thread alone */
};

/* One way to lay a data set out on disk; rows of dataset.def. */
struct eng_dataset_format {
    const char *name;
    const char *wanted; /* what the folder holds, for "no data set found" */
    /* Purpose: whether path, a folder or a file, is of this format. Looks at the disk, reads
     * little. */
    bool (*recognise)(const char *path);
    /* source->dir is the data set itself, and options are never NULL. */
    enum eng_status (*load)(const struct eng_dataset_source *source, struct eng_dataset *out,
                            struct eng_error *err);
};

/*
 * Purpose: makes the toy that the options ask for; else loads one split from dir/<options.dataset>
 *          if that exists, else from dir itself. A name with a slash in it, or that begins with a
 *          dot, is no folder's name. Pictures come in the size and colours that the options want.
 * Ownership: end with eng_dataset_fini.
 * Errors: ARGUMENT (no dir, or one beside a toy), NOT_FOUND (no known format, or a file that
 * belongs to it is missing), FORMAT (naming file and record), LIMIT, IO, NO_MEMORY. Threads: any.
 * Cost: reads the whole split into memory.
 */
enum eng_status eng_dataset_load(const struct eng_dataset_source *source, struct eng_dataset *out,
                                 struct eng_error *err);

/* Purpose: frees and zeroes; a zeroed struct is accepted. */
void eng_dataset_fini(struct eng_dataset *set);

/* Purpose: bytes of one picture; 0 for VECTORS. */
size_t eng_dataset_sample_bytes(const struct eng_dataset *set);

/* Purpose: the pixels of picture i < n, [H, W, C]. Borrowed. */
const uint8_t *eng_dataset_sample(const struct eng_dataset *set, size_t i);

/* Purpose: the numbers of vector i < n, [n_features]. Borrowed. */
const float *eng_dataset_features(const struct eng_dataset *set, size_t i);

/* Purpose: "train" or "test". */
const char *eng_split_name(enum eng_split split);

#endif
