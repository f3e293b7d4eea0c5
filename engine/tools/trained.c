#include "trained.h"

#include <string.h>

enum eng_status tool_trained_open(const char *dir, const char *data_dir,
                                  const struct eng_train_report *report, struct eng_pool *pool,
                                  struct tool_trained *out, struct eng_error *err)
{
    struct tool_trained trained = {.model = NULL};
    enum eng_status status = eng_recipe_parse(report->name, report->recipe, strlen(report->recipe),
                                              NULL, &trained.recipe, err);
    if (status == ENG_OK)
        status = eng_data_load(data_dir, &trained.recipe, pool, &trained.data, err);
    if (status == ENG_OK) status = eng_model_open(dir, NULL, &trained.model, err);
    if (status != ENG_OK) {
        tool_trained_fini(&trained);
        return status;
    }
    *out = trained;
    return ENG_OK;
}

void tool_trained_fini(struct tool_trained *trained)
{
    eng_model_destroy(trained->model);
    eng_data_fini(&trained->data);
    eng_recipe_fini(&trained->recipe);
    memset(trained, 0, sizeof *trained);
}
