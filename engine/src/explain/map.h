/* The methods. Each fills what it found into the explanation, whose class is chosen and whose map
 * is there, all 0, if the method has one. */
#ifndef ENG_EXPLAIN_MAP_H
#define ENG_EXPLAIN_MAP_H

#include "engine/explain.h"

/* Whether they fit a model that takes pictures. Errors: UNSUPPORTED with a reason, LIMIT,
 * NO_MEMORY. */
enum eng_status eng_explain_check_gradcam(const struct eng_model *model, struct eng_error *err);
enum eng_status eng_explain_check_input_gradient(const struct eng_model *model,
                                                 struct eng_error *err);

/* Errors: as above, CANCELLED. */
enum eng_status eng_explain_gradcam(const struct eng_model *model,
                                    const struct eng_explain_request *request,
                                    struct eng_explanation *out, struct eng_error *err);
enum eng_status eng_explain_integrated_gradients(const struct eng_model *model,
                                                 const struct eng_explain_request *request,
                                                 struct eng_explanation *out,
                                                 struct eng_error *err);
enum eng_status eng_explain_smoothgrad(const struct eng_model *model,
                                       const struct eng_explain_request *request,
                                       struct eng_explanation *out, struct eng_error *err);

/* Errors: LIMIT (more than 65536 positions, or a network too large), ARGUMENT (a patch larger than
 * the picture, a stride larger than the patch), CANCELLED, NO_MEMORY. */
enum eng_status eng_explain_occlusion(const struct eng_model *model,
                                      const struct eng_explain_request *request,
                                      struct eng_explanation *out, struct eng_error *err);

#endif
