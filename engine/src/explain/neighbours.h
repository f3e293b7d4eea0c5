/* Whom a nearest-neighbour model compares a picture with. */
#ifndef ENG_EXPLAIN_NEIGHBOURS_H
#define ENG_EXPLAIN_NEIGHBOURS_H

#include "engine/explain.h"

/* Purpose: whether the model has a node KNearest that compares the picture itself. Errors:
 * UNSUPPORTED, NO_MEMORY. */
enum eng_status eng_explain_check_neighbours(const struct eng_model *model, struct eng_error *err);

/* Purpose: fills the neighbours; all training pictures if there are fewer than wanted. Errors: as
 * above. */
enum eng_status eng_explain_find_neighbours(const struct eng_model *model,
                                            const struct eng_explain_request *request,
                                            struct eng_explanation *out, struct eng_error *err);

#endif
