/* A recipe as it will run: what the command line changes, and its variables in place. */
#ifndef ENG_TRAIN_RECIPE_OVERRIDE_H
#define ENG_TRAIN_RECIPE_OVERRIDE_H

#include "base/json.h"

struct eng_recipe_overrides; /* recipe.h */

/*
 * Purpose: refuses a variable that is of no use, before settings are applied.
 * Errors: FORMAT: a variable that is not a number, a truth value or a text of at most 100 bytes, or
 *         that nobody uses; LIMIT: more than 100.
 */
enum eng_status eng_recipe_check_variables(const struct eng_json_place *place, const json_t *root);

/*
 * Purpose: puts the value of a variable wherever the recipe has the text "$name", and takes
 *          "variables" out.
 * Errors: FORMAT: a variable that nobody defined, or as above; LIMIT; NO_MEMORY.
 */
enum eng_status eng_recipe_fill_variables(const struct eng_json_place *place, json_t *root);

/*
 * Purpose: makes of a recipe the one that is to run: settings "path=value", then variables, then
 *          the model to go on from, names to freeze, seed and epochs. A setting's path is a
 *          variable's name, or keys and list positions with dots between ("layers.1.outputs"); only
 *          its last key may be new. Its value is JSON, or else a text as it stands. overrides may
 *          be NULL.
 * Errors: FORMAT naming the setting: no '=', a path that leads nowhere, a value of another type
 *         than the one that it replaces; ARGUMENT: a name that is not UTF-8; those of the two
 *         functions above; NO_MEMORY.
 */
enum eng_status eng_recipe_override(const struct eng_json_place *place, json_t *root,
                                    const struct eng_recipe_overrides *overrides);

#endif
