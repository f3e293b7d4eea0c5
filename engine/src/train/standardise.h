/* Mean and deviation of every single value of a sample over the training set. */
#ifndef ENG_TRAIN_STANDARDISE_H
#define ENG_TRAIN_STANDARDISE_H

#include "engine/preprocess.h"
#include "train/dataset.h"

/*
 * Purpose: of every pixel, in the values and the order that pre makes of pictures, [C, H, W]. A
 *          deviation below one grey level counts as one: a pixel that hardly ever differs says
 *          little, and would become the largest number of all.
 * Ownership: *mean and *deviation are malloc'd, one float for each value. Errors: NO_MEMORY.
 * Cost: one pass over the training set.
 */
enum eng_status eng_standardise_pixels(const struct eng_dataset *train,
                                       const struct eng_preprocess *pre, float **mean,
                                       float **deviation, struct eng_error *err);

/*
 * Purpose: of every feature. One that is the same in every sample has the deviation 1.
 * Ownership: *mean and *deviation are malloc'd, [n_features]. Errors: NO_MEMORY.
 * Cost: two passes over the training set.
 */
enum eng_status eng_standardise_features(const struct eng_dataset *train, float **mean,
                                         float **deviation, struct eng_error *err);

#endif
