/* The methods. Each fills what it found into the explanation, whose class is chosen and whose map
 * is there, all 0, if the method has one. */
#ifndef ENG_EXPLAIN_MAP_H
#define ENG_EXPLAIN_MAP_H

#include "engine/explain.h"

/* Errors: LIMIT (more than 65536 positions, or a network too large), ARGUMENT (a patch larger than
 * the picture, a stride larger than the patch), CANCELLED, NO_MEMORY. */
enum eng_status eng_explain_occlusion(const struct eng_model *model,
                                      const struct eng_explain_request *request,
                                      struct eng_explanation *out, struct eng_error *err);

#endif
