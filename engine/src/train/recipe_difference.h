/* Where two recipes differ: what may change when a run is resumed, and what may not. */
#ifndef ENG_TRAIN_RECIPE_DIFFERENCE_H
#define ENG_TRAIN_RECIPE_DIFFERENCE_H

#include "engine/status.h"

#include <stddef.h>

/*
 * Purpose: compares the recipe of a checkpoint with the one that is to go on. Differences in
 *          epochs, schedule, optimiser.learning_rate and clip_gradient_norm are allowed, and
 *          *changes, a JSON list of sentences (NULL: none so far), is extended by them. epoch: the
 *          first one that runs with them, from 1. checkpoint and path are for sentences.
 * Ownership: *out is malloc'd, the caller frees it; NULL if there is nothing to tell.
 * Errors: FORMAT naming the first other difference with both values; NO_MEMORY.
 */
enum eng_status eng_recipe_compare(const char *checkpoint, const char *was, const char *path,
                                   const char *now, size_t epoch, const char *changes, char **out,
                                   struct eng_error *err);

#endif
