/* A model that was just trained, opened again with the data that it saw. */
#ifndef TOOLS_TRAINED_H
#define TOOLS_TRAINED_H

#include "engine/model.h"
#include "engine/train.h"
#include "train/data.h"

struct tool_trained {
    struct eng_recipe recipe;
    struct eng_data data;
    struct eng_model *model;
};

/*
 * Purpose: the model in dir, and its data once more as the report's recipe and data_dir (which may
 *          be NULL) say. Ownership: on success end with tool_trained_fini.
 * Errors: those of eng_model_open and eng_data_load.
 */
enum eng_status tool_trained_open(const char *dir, const char *data_dir,
                                  const struct eng_train_report *report, struct eng_pool *pool,
                                  struct tool_trained *out, struct eng_error *err);
void tool_trained_fini(struct tool_trained *trained);

#endif
