/* A decoded picture brought to the size and colours of a data set. */
#ifndef ENG_TRAIN_PICTURE_FIT_H
#define ENG_TRAIN_PICTURE_FIT_H

#include "engine/image.h"
#include "train/dataset.h"

/*
 * Purpose: writes the picture as width_px x height_px pixels of n_channels (1 or 3) bytes: as
 *          preprocessing does it, stretched whatever its shape, untouched if it has the size.
 * Shapes: dst [height_px, width_px, n_channels]. Errors: NO_MEMORY.
 */
enum eng_status eng_picture_fit(const struct eng_image *image, uint32_t width_px,
                                uint32_t height_px, uint32_t n_channels, uint8_t *dst,
                                struct eng_error *err);

/*
 * Purpose: brings every picture of the set to what the options ask for; a set that has that already
 *          stays as it is. pool may be NULL.
 * Errors: LIMIT: more than ENG_DATASET_MAX_BYTES; NO_MEMORY. The set is unchanged then.
 */
enum eng_status eng_dataset_fit(struct eng_dataset *set, const struct eng_dataset_options *options,
                                struct eng_pool *pool, struct eng_error *err);

#endif
