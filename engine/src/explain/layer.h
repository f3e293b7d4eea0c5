/* Where Grad-CAM looks. */
#ifndef ENG_EXPLAIN_LAYER_H
#define ENG_EXPLAIN_LAYER_H

#include "model/model_internal.h"

/*
 * Purpose: the value of the model's graph that holds the last feature map: of the last Conv on the
 *          way from the picture to the score whose output [N, C, H, W] has more than one position;
 *          or of a later node that keeps H and W (an activation, a sum with a shortcut, a
 *          concatenation of branches), the last one through which every way to the score leads.
 * Errors: UNSUPPORTED if there is no such Conv, NO_MEMORY.
 */
enum eng_status eng_explain_find_layer(const struct eng_model *model, int *value,
                                       struct eng_error *err);

#endif
