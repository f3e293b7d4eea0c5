/* The labelled samples that a model is evaluated on, in the model's order of columns and classes.
 */
#ifndef TOOLS_EVAL_DATA_H
#define TOOLS_EVAL_DATA_H

#include "engine/model.h"
#include "train/dataset.h"

/*
 * Purpose: loads one split of the data in dir as the recipe in the model's file says. A recipe that
 *          makes its points draws them anew if dir is NULL; else dir's table is read, whole if it
 *          has no test.csv, and its target is the column that is no feature of the model. Columns
 *          and classes are brought into the model's order by their names. Classes that the model
 *          calls otherwise count by their numbers, but for those of a table, and for those of which
 *          some have the model's names and others not, unless the model's labels were given.
 * Ownership: on success end with eng_dataset_fini.
 * Errors: those of eng_dataset_load; MISMATCH: a column or a class that the model does not know.
 */
enum eng_status tool_eval_data_load(const char *model_path, const struct eng_card *card,
                                    const char *dir, enum eng_split split, struct eng_dataset *out,
                                    struct eng_error *err);

#endif
