/* A recipe as it will run: what the command line changes, and its variables in place. */
#ifndef ENG_TRAIN_RECIPE_OVERRIDE_H
#define ENG_TRAIN_RECIPE_OVERRIDE_H

#include "base/json.h"

#include <stddef.h>

/*
 * Purpose: refuses a variable that is of no use, before settings are applied.
 * Errors: FORMAT: a variable that is not a number, a truth value or a text of at most 100 bytes, or
 *         that nobody uses; LIMIT: more than 100.
 */
enum eng_status eng_recipe_check_variables(const struct eng_json_place *place, const json_t *root);

/*
 * Purpose: applies settings "path=value" to a recipe. A path is a variable's name, or keys and list
 *          positions with dots between ("layers.1.outputs"); only its last key may be new. A value
 *          is JSON, or else a text as it stands.
 * Errors: FORMAT naming the setting: no '=', a path that leads nowhere, a value of another type
 *         than the one that it replaces; NO_MEMORY.
 */
enum eng_status eng_recipe_set(const struct eng_json_place *place, json_t *root,
                               const char *const *settings, size_t n_settings);

/*
 * Purpose: puts the value of a variable wherever the recipe has the text "$name", and takes
 *          "variables" out.
 * Errors: FORMAT: a variable that nobody defined, or as above; LIMIT; NO_MEMORY.
 */
enum eng_status eng_recipe_fill_variables(const struct eng_json_place *place, json_t *root);

#endif
