/* The "layers" list of a recipe. */
#ifndef ENG_TRAIN_RECIPE_LAYERS_H
#define ENG_TRAIN_RECIPE_LAYERS_H

#include "train/recipe.h"
#include "train/recipe_json.h"

/*
 * Purpose: reads the list. An entry is a layer, {"op": "Add", "branches": [[...], [...]]}, or a
 *          group {"repeat": 3, "layers": [...]}, which is counted out. Gives every layer its name:
 *          the names of the Adds and groups around it, its own or its operator and a number.
 */
enum eng_status eng_recipe_read_layers(struct eng_json_place *place, const json_t *list,
                                       struct eng_recipe *recipe);

#endif
