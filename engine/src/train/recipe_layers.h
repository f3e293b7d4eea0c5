/* The "layers" list of a recipe. */
#ifndef ENG_TRAIN_RECIPE_LAYERS_H
#define ENG_TRAIN_RECIPE_LAYERS_H

#include "train/recipe.h"
#include "train/recipe_json.h"

/* Purpose: reads the list. Keys of a layer: "op", its operator's attributes, the kind's own. */
enum eng_status eng_recipe_read_layers(struct eng_json_place *place, const json_t *list,
                                       struct eng_recipe *recipe);

#endif
