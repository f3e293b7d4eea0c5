/* What each method needs and does. */
#ifndef ENG_EXPLAIN_METHODS_H
#define ENG_EXPLAIN_METHODS_H

#include "engine/explain.h"

struct eng_explain_way {
    /* Whether it can explain the model, which takes pictures. Errors: UNSUPPORTED with a reason,
     * LIMIT, NO_MEMORY. */
    enum eng_status (*check)(const struct eng_model *model, struct eng_error *err);
    /* Fills what it found into out, where all that it does not depend on is set. A map is zeroed.
     */
    enum eng_status (*run)(const struct eng_model *model, const struct eng_explain_request *request,
                           struct eng_explanation *out, struct eng_error *err);
    bool has_map;
};

/* Purpose: eng_explain_choose for a model that lacks no weights (model/whole.h). */
enum eng_status eng_explain_choose_whole(const struct eng_model *model,
                                         enum eng_explain_method method,
                                         enum eng_explain_method *out, struct eng_error *err);

/* Purpose: any method's but AUTO's. */
const struct eng_explain_way *eng_explain_way(enum eng_explain_method method);

#endif
