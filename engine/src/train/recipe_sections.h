/* The keys of a recipe whose values are objects or lists: "input", "loss", "layers" ... */
#ifndef ENG_TRAIN_RECIPE_SECTIONS_H
#define ENG_TRAIN_RECIPE_SECTIONS_H

#include "base/json.h"
#include "train/recipe.h"

enum { ENG_RECIPE_N_SECTIONS = 11 };

/* Purpose: the key of section i < ENG_RECIPE_N_SECTIONS. */
const char *eng_recipe_section_name(size_t i);

/*
 * Purpose: reads them all; what is left out gets its defaults. The recipe's method, from and
 *          validation have been read.
 * Errors: FORMAT naming the key, the value found and wanted, also for "layers" that are missing;
 *         LIMIT; NO_MEMORY.
 */
enum eng_status eng_recipe_read_sections(struct eng_json_place *place, const json_t *root,
                                         struct eng_recipe *recipe);

#endif
