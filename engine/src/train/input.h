/* How pictures become inputs: the preprocessing that a recipe and its training set ask for. */
#ifndef ENG_TRAIN_INPUT_H
#define ENG_TRAIN_INPUT_H

#include "engine/preprocess.h"
#include "train/dataset.h"
#include "train/recipe.h"

/*
 * Purpose: fills out: size and colour from the data set, mean and std from the recipe or, to
 *          standardise, over all training pixels per channel.
 * Errors: FORMAT: channels that are not 1 or 3, another number of means than of channels, a channel
 *         that never varies.
 * Cost: one pass over the training set.
 */
enum eng_status eng_input_prepare(const struct eng_recipe *recipe, const struct eng_dataset *train,
                                  struct eng_preprocess *out, struct eng_error *err);

#endif
