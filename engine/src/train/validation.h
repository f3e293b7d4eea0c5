/* The validation set: training samples that are set aside to choose by. */
#ifndef ENG_TRAIN_VALIDATION_H
#define ENG_TRAIN_VALIDATION_H

#include "train/dataset.h"

/*
 * Purpose: moves a share of the training samples, drawn by seed, into out: at least one, and at
 *          least one stays. Both sets keep the order that the samples had.
 * Ownership: end out with eng_dataset_fini. On failure train is as it was.
 * Errors: FORMAT: there is only one sample; NO_MEMORY. Cost: moves all samples once.
 */
enum eng_status eng_validation_split(struct eng_dataset *train, double share, uint64_t seed,
                                     struct eng_dataset *out, struct eng_error *err);

#endif
