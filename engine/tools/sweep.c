#include "sweep.h"

#include "base/error.h"
#include "base/file.h"
#include "card_files.h"
#include "engine/pool.h"
#include "evaluate.h"
#include "trained.h"

#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double tool_sweep_gap(const struct tool_sweep_cell *cell)
{
    double unseen = isnan(cell->validation) ? cell->test : cell->validation;
    return cell->is_regression ? unseen - cell->train : cell->train - unseen;
}

/* The settings of a cell: those of all cells, then its own. Returns how many. */
static size_t list_settings(const struct tool_sweep *sweep, size_t cell,
                            const char *settings[TOOL_MAX_TEXTS + TOOL_SWEEP_MAX_AXES])
{
    size_t n = 0;
    for (size_t i = 0; i < sweep->fixed->n; i++)
        settings[n++] = sweep->fixed->v[i];
    for (size_t a = 0; a < sweep->grid->n_axes; a++)
        settings[n++] = sweep->grid->axes[a].settings[tool_sweep_grid_value(sweep->grid, cell, a)];
    return n;
}

enum eng_status tool_sweep_check(const struct tool_sweep *sweep, struct eng_error *err)
{
    struct eng_error first = {0};
    for (size_t cell = 0; cell < sweep->grid->n_cells; cell++) {
        const char *settings[TOOL_MAX_TEXTS + TOOL_SWEEP_MAX_AXES];
        const struct eng_recipe_overrides overrides = {.seed = sweep->seed,
                                                       .epochs = sweep->n_epochs,
                                                       .settings = settings,
                                                       .n_settings =
                                                           list_settings(sweep, cell, settings)};
        struct eng_recipe recipe;
        if (eng_recipe_load(sweep->recipe_path, &overrides, &recipe, &first) != ENG_OK) continue;
        eng_recipe_fini(&recipe);
        return ENG_OK;
    }
    return eng_fail(err, first.status, "%s", first.text);
}

static enum eng_status measure(const struct eng_model *model, const struct eng_dataset *set,
                               int n_threads, double *out, struct eng_error *err)
{
    struct tool_evaluation e;
    *out = NAN;
    if (set->n == 0) return ENG_OK;
    enum eng_status status = tool_evaluate(model, set, n_threads, &e, err);
    if (status != ENG_OK) return status;
    *out = e.n_classes > 0 ? (double)e.n_correct / (double)e.n_samples : e.mean_squared_error;
    tool_evaluation_fini(&e);
    return ENG_OK;
}

static enum eng_status measure_all(const struct tool_trained *trained, int n_threads,
                                   struct tool_sweep_cell *cell, struct eng_error *err)
{
    const struct eng_data *data = &trained->data;
    enum eng_status status = measure(trained->model, &data->train, n_threads, &cell->train, err);
    if (status == ENG_OK)
        status = measure(trained->model, &data->validation, n_threads, &cell->validation, err);
    if (status == ENG_OK)
        status = measure(trained->model, &data->test, n_threads, &cell->test, err);
    return status;
}

static enum eng_status train(const struct tool_sweep *sweep, size_t number, const char *dir,
                             struct eng_train_report **report, struct eng_error *err)
{
    const char *settings[TOOL_MAX_TEXTS + TOOL_SWEEP_MAX_AXES];
    const struct eng_train_options options = {.recipe_path = sweep->recipe_path,
                                              .data_dir = sweep->data_dir,
                                              .out_dir = dir,
                                              .seed = sweep->seed,
                                              .n_epochs = sweep->n_epochs,
                                              .settings = settings,
                                              .n_settings = list_settings(sweep, number, settings),
                                              .restart = true,
                                              .pool = sweep->pool,
                                              .observe = sweep->observe,
                                              .observe_ctx = sweep->observe_ctx,
                                              .report = report};
    return eng_train(&options, err);
}

static enum eng_status run(struct tool_sweep *sweep, size_t number, const char *dir,
                           struct tool_sweep_cell *cell)
{
    struct eng_train_report *report = NULL;
    struct tool_trained trained;
    enum eng_status status = train(sweep, number, dir, &report, &cell->err);
    if (status == ENG_OK)
        status = tool_trained_open(dir, sweep->data_dir, report, sweep->pool, &trained, &cell->err);
    if (status == ENG_OK) {
        cell->is_regression = report->n_classes == 0;
        cell->n_epochs = report->n_epochs;
        cell->seconds = report->seconds;
        status = measure_all(&trained, sweep->n_threads, cell, &cell->err);
        if (status == ENG_OK && sweep->out_dir)
            status = tool_sweep_draw_regions(sweep, number, &trained, &cell->err);
        tool_trained_fini(&trained);
    }
    if (status == ENG_OK && sweep->out_dir)
        status = tool_card_files_write(dir, sweep->data_dir, report, &cell->err);
    eng_train_report_destroy(report);
    return status;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

/* In a folder that nobody keeps. */
static enum eng_status run_aside(struct tool_sweep *sweep, size_t number,
                                 struct tool_sweep_cell *cell)
{
    char dir[PATH_MAX];
    const char *parent = getenv("TMPDIR");
    int n = snprintf(dir, sizeof dir, "%s/classify-sweep-XXXXXX", parent ? parent : "/tmp");
    if (n < 0 || n >= (int)sizeof dir || !mkdtemp(dir))
        return eng_fail(&cell->err, ENG_IO, "%.300s: no temporary folder can be made there",
                        parent ? parent : "/tmp");
    enum eng_status status = run(sweep, number, dir, cell);
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return status;
}

void tool_sweep_run(struct tool_sweep *sweep, size_t number)
{
    struct tool_sweep_cell *cell = &sweep->cells[number];
    char dir[PATH_MAX];
    *cell = (struct tool_sweep_cell){.tried = true, .train = NAN, .validation = NAN, .test = NAN};
    if (!sweep->out_dir) {
        run_aside(sweep, number, cell);
        return;
    }
    int n = snprintf(dir, sizeof dir, "%s/%zu", sweep->out_dir, number + 1);
    if (n < 0 || n >= (int)sizeof dir)
        eng_fail(&cell->err, ENG_ARGUMENT, "%.300s: the name is too long", sweep->out_dir);
    else
        run(sweep, number, dir, cell);
}
