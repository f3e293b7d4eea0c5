/* The answer to classify, as JSON. */
#ifndef SRV_API_PREDICTIONS_H
#define SRV_API_PREDICTIONS_H

#include "base/text.h"
#include "engine/model.h"

struct srv_answer {
    const char *model, *version, *digest;
    const struct eng_card *card;
    const float *probabilities; /* [n_pictures, n_classes] */
    size_t n_pictures;
    bool is_list; /* predictions: a list for each picture, else the one list */
    size_t n_top; /* 1 .. n_classes */
};

/*
 * Purpose: {"model", "version", "digest", "predictions"}; predictions sorted by probability, of
 * equal ones the lower index first. Numbers read back as the same float.
 */
void srv_predictions_write(const struct srv_answer *answer, struct srv_text *out);

#endif
