/* The answer to explain, as JSON and as headers. */
#ifndef SRV_API_EXPLANATION_H
#define SRV_API_EXPLANATION_H

#include "api/request.h"
#include "engine/explain.h"

struct srv_explanation_answer {
    const char *model, *version, *digest;
    const struct eng_card *card;
    const struct eng_explanation *explanation;
};

/*
 * Purpose: {"model", "version", "digest", "method", "index", "label", "probability", "score" ...}
 * with the raw map as a list of rows, or the neighbours. Numbers read back as the same float; what
 * is not finite is null.
 */
void srv_explanation_write(const struct srv_explanation_answer *answer, struct srv_text *out);

/* Purpose: what a picture cannot say, as headers of the reply: X-Model, X-Class-Index ... */
void srv_explanation_add_headers(const struct srv_explanation_answer *answer,
                                 struct srv_request *request);

#endif
