/* The answer to an inference request of the Open Inference Protocol V2. */
#ifndef SRV_API_V2_REPLY_H
#define SRV_API_V2_REPLY_H

#include "api/v2_request.h"
#include "base/text.h"

struct srv_v2_answer {
    const char *model, *version, *digest;
    const struct srv_v2_model *described;
    const struct srv_v2_request *request;
    const float *probabilities; /* [n_pictures, n_classes] */
    const float *scores;        /* the same; NULL if no wanted output is of scores */
    size_t n_pictures;
};

/*
 * Purpose: writes the JSON and, behind it, the binary outputs in order. *n_json is the JSON's
 * length if there are any, else 0. Numbers read back as the same float; classes are
 * "probability:index:label", the most probable first, of equal ones the lower index.
 */
void srv_v2_reply_write(const struct srv_v2_answer *answer, struct srv_text *out, size_t *n_json);

#endif
