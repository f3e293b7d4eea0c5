/* IDX, the format of MNIST: big-endian magic, dimensions, bytes. */
#ifndef ENG_TRAIN_DATASET_IDX_H
#define ENG_TRAIN_DATASET_IDX_H

#include "engine/status.h"
#include "train/dataset.h"

#include <stddef.h>

/*
 * Purpose: joins an images file (magic 0x00000803) and a labels file (magic 0x00000801), both
 * unpacked. The names are for the sentences only.
 * Ownership: out is the caller's to end with eng_dataset_fini; the bytes may go afterwards.
 * Errors: FORMAT: magic, sizes, counts that differ, bytes missing or left over; LIMIT; NO_MEMORY.
 * Source: "The IDX file format", LeCun, Cortes and Burges, The MNIST database.
 */
enum eng_status eng_idx_parse(const char *images_name, const void *images, size_t n_image_bytes,
                              const char *labels_name, const void *labels, size_t n_label_bytes,
                              struct eng_dataset *out, struct eng_error *err);

#endif
