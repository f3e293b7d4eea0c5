/* Labelled pictures in memory, read from a folder whose format is recognised by what it holds. */
#ifndef ENG_TRAIN_DATASET_H
#define ENG_TRAIN_DATASET_H

#include "engine/status.h"

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

struct eng_dataset {
    uint32_t width_px, height_px, n_channels;
    size_t n;         /* samples, at least one */
    uint8_t *pixels;  /* [n, height_px, width_px, n_channels] */
    uint16_t *labels; /* [n] */
    size_t n_classes; /* the highest label + 1 */
};

/* One way to lay a data set out on disk; rows of dataset.def. */
struct eng_dataset_format {
    const char *name;
    const char *wanted; /* what the folder holds, for "no data set found" */
    /* Purpose: whether dir holds this format. Looks at the disk, reads little. */
    bool (*recognise)(const char *dir);
    enum eng_status (*load)(const char *dir, enum eng_split split, struct eng_dataset *out,
                            struct eng_error *err);
};

/*
 * Purpose: loads one split from dir/name if that is a folder, else from dir itself. No name: NULL
 *          or ""; one with a slash in it, or that begins with a dot, is no folder's name.
 * Ownership: end with eng_dataset_fini.
 * Errors: NOT_FOUND (no known format), FORMAT (naming file and record), LIMIT, IO, NO_MEMORY.
 * Threads: any. Cost: reads the whole split into memory.
 */
enum eng_status eng_dataset_load(const char *dir, const char *name, enum eng_split split,
                                 struct eng_dataset *out, struct eng_error *err);

/* Purpose: frees and zeroes; a zeroed struct is accepted. */
void eng_dataset_fini(struct eng_dataset *set);

/* Purpose: bytes of one sample. */
size_t eng_dataset_sample_bytes(const struct eng_dataset *set);

/* Purpose: the pixels of sample i < n, [H, W, C]. Borrowed. */
const uint8_t *eng_dataset_sample(const struct eng_dataset *set, size_t i);

/* Purpose: "train" or "test". */
const char *eng_split_name(enum eng_split split);

#endif
