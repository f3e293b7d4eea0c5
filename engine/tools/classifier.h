/* A model that takes pictures, with one session: what predict and eval start from. */
#ifndef TOOLS_CLASSIFIER_H
#define TOOLS_CLASSIFIER_H

#include "engine/session.h"

/*
 * Purpose: opens the model and refuses one that cannot classify pictures.
 * config_path: NULL for the model folder's own. max_batch: 0 for the engine's default.
 * Errors: as eng_model_open; UNSUPPORTED naming the model's inputs.
 */
enum eng_status tool_classifier_open(const char *path, const char *config_path, int max_batch,
                                     struct eng_model **out, struct eng_error *err);

/*
 * Purpose: the k most probable classes, best first; equal ones by index.
 * Shapes: probabilities [n], order [k], k <= n. Cost: n x k.
 */
void tool_top_classes(const float *probabilities, size_t n, size_t *order, size_t k);

#endif
