/* The parts of eng_model_complete_card. */
#ifndef ENG_MODEL_COMPLETE_H
#define ENG_MODEL_COMPLETE_H

#include "model/model_internal.h"

/* Purpose: elements of one sample of a value: of the whole tensor if the graph is bound to its
 * batch. */
int64_t eng_model_per_sample(const struct eng_model *model, int value);

/* Purpose: whether answers can be read from values of that type. */
bool eng_model_is_real(enum eng_dtype dtype);

/* Purpose: whether prepared samples can be converted to that type. */
bool eng_model_takes_samples(enum eng_dtype dtype);

/*
 * Purpose: completes card.preprocess from the input and guesses what is still open; takes_images is
 *          set if pictures fit the graph.
 * Errors: FORMAT for preprocessing that is stated and does not fit. Where nothing is stated the
 * graph need not take pictures: then card.no_pictures says why not, and the status is OK.
 */
enum eng_status eng_model_complete_picture(struct eng_model *model, struct eng_error *err);

/* Purpose: the model takes no pictures, for that reason. Errors: NO_MEMORY. */
enum eng_status eng_model_decline(struct eng_model *model, const char *why, struct eng_error *err);

#endif
