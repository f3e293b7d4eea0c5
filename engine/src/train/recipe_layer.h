/* One layer of a recipe. */
#ifndef ENG_TRAIN_RECIPE_LAYER_H
#define ENG_TRAIN_RECIPE_LAYER_H

#include "train/recipe.h"
#include "train/recipe_json.h"

/* Purpose: reads "op", its operator's attributes and the kind's own keys; "name" and "branches" are
 * the caller's. */
enum eng_status eng_recipe_read_layer(const struct eng_json_place *place, const json_t *object,
                                      struct eng_layer *layer);

#endif
