/* CIFAR-10 and CIFAR-100, binary version: records of labels and three planes of 32 x 32 bytes. */
#ifndef ENG_TRAIN_DATASET_CIFAR_H
#define ENG_TRAIN_DATASET_CIFAR_H

#include "engine/status.h"
#include "train/dataset.h"

#include <stddef.h>

enum {
    ENG_CIFAR_SIDE_PX = 32,
    ENG_CIFAR_PLANE_BYTES = ENG_CIFAR_SIDE_PX * ENG_CIFAR_SIDE_PX,
    ENG_CIFAR_PICTURE_BYTES = 3 * ENG_CIFAR_PLANE_BYTES,
};

/* What stands in front of the pixels of a record. */
struct eng_cifar_layout {
    size_t n_label_bytes; /* 1, or 2: coarse, fine */
    size_t label_at;      /* the one that counts */
    size_t n_classes;     /* of that one */
};

/*
 * Purpose: appends the records of one file to set (zeroed before the first). name is for sentences.
 * Ownership: set stays the caller's to end with eng_dataset_fini, on failure too.
 * Errors: FORMAT: no whole number of records, a label out of range, naming the record; LIMIT: more
 *         than ENG_DATASET_MAX_BYTES in all; NO_MEMORY.
 * Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009; "Binary
 * version".
 */
enum eng_status eng_cifar_append(const char *name, const void *bytes, size_t n_bytes,
                                 const struct eng_cifar_layout *layout, struct eng_dataset *set,
                                 struct eng_error *err);

#endif
