/* classify sweep: trains a recipe with every combination of some settings, and compares. */
#include "base/error.h"
#include "base/mem.h"
#include "command.h"
#include "engine/pool.h"
#include "interrupt.h"
#include "options.h"
#include "progress.h"
#include "sweep.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct sweep_options {
    struct tool_texts vary, set;
    const char *data, *out;
    int64_t seed, epochs, threads;
    bool json, quiet;
};

static const struct tool_option options[] = {
    TOOL_TEXTS(struct sweep_options, vary, "NAME=A,B",
               "values to try for a variable or key of the recipe; several: every combination"),
    TOOL_TEXT(struct sweep_options, data, "DIR", "the data set, or the folder above it"),
    TOOL_TEXT(struct sweep_options, out, "DIR",
              "keep the models: DIR/1, DIR/2 ...; of points in a plane also a picture"),
    TOOL_TEXTS(struct sweep_options, set, "PATH=VALUE", "a change that all runs share"),
    TOOL_INT(struct sweep_options, seed, -1, 0, 9e15, "N", "instead of the recipe's seed"),
    TOOL_INT(struct sweep_options, epochs, 0, 1, 100000, "N", "instead of the recipe's epochs"),
    TOOL_INT(struct sweep_options, threads, 0, 1, 1024, "N", "default: every CPU this process has"),
    TOOL_FLAG(struct sweep_options, json, "answer in JSON, once all is done"),
    TOOL_FLAG(struct sweep_options, quiet, "no progress"),
};

static const struct tool_syntax syntax = {
    .arguments = "RECIPE.json",
    .min_args = 1,
    .max_args = 1,
    .help =
        "Trains the recipe once for every combination of the values, and prints how well each\n"
        "model does on what it was trained on, on validation samples if the recipe holds some\n"
        "out, on the test set, and the gap: training less validation (or else test). A run that\n"
        "fails is reported in its line and does not stop the others. A recipe that no run could\n"
        "read, such as with a misspelt key, is refused before anything is trained.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

/* The table says what became of an epoch: here only the bar moves. */
static bool observe(void *ctx, const struct eng_train_progress *progress)
{
    struct eng_train_progress step = *progress;
    step.done = NULL;
    if (ctx) tool_progress_show(ctx, &step);
    return !tool_interrupted();
}

static void clear_bar(struct tool_progress *progress)
{
    if (progress->line_open) printf("\r\033[K");
    progress->line_open = false;
}

/* All cells, or those before Ctrl-C. Returns whether all of them succeeded. */
static bool run_cells(struct tool_sweep *sweep, const struct sweep_options *opt)
{
    bool good = true;
    struct tool_progress progress;
    if (!opt->json) tool_sweep_print_head(sweep);
    for (size_t i = 0; i < sweep->grid->n_cells && !tool_interrupted(); i++) {
        tool_progress_init(&progress, opt->json ? stderr : stdout);
        sweep->observe_ctx = opt->quiet || !progress.terminal ? NULL : &progress;
        tool_sweep_run(sweep, i);
        if (progress.line_open) clear_bar(&progress);
        if (!opt->json) tool_sweep_print_row(sweep, i);
        good &= !sweep->cells[i].err.status;
    }
    return good && !tool_interrupted();
}

static enum eng_status write_regions(struct tool_sweep *sweep, struct eng_error *err)
{
    char path[PATH_MAX];
    if (!sweep->regions.pixels) return ENG_OK;
    snprintf(path, sizeof path, "%s/regions.png", sweep->out_dir); /* longer ones had no cells */
    tool_sweep_caption_failures(sweep);
    enum eng_status status = eng_image_write_png(path, &sweep->regions, err);
    eng_image_fini(&sweep->regions);
    return status;
}

static enum eng_status run_sweep(struct tool_sweep *sweep, const struct sweep_options *opt,
                                 struct eng_error *err)
{
    enum eng_status status = eng_pool_create(sweep->n_threads, &sweep->pool, err);
    if (status != ENG_OK) return status;
    sweep->cells = eng_calloc(sweep->grid->n_cells, sizeof *sweep->cells);
    if (!sweep->cells) {
        status = eng_fail_memory(err, "the sweep");
    } else {
        bool good = run_cells(sweep, opt);
        status = write_regions(sweep, err);
        if (status == ENG_OK && opt->json)
            status = tool_json_print_take(tool_sweep_json(sweep), err);
        if (status == ENG_OK && !good)
            status = eng_fail(err, ENG_CANCELLED,
                              tool_interrupted() ? "stopped before all runs were done"
                                                 : "not every run could be done");
    }
    free(sweep->cells);
    eng_pool_destroy(sweep->pool);
    return status;
}

int cmd_sweep(int argc, char **argv)
{
    struct sweep_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct tool_sweep_grid grid;
    if (tool_sweep_grid_read(&opt.vary, &grid, &err)) {
        tool_fail(argv[0], &err);
        return TOOL_USAGE;
    }
    struct tool_sweep sweep = {.grid = &grid,
                               .recipe_path = args[0],
                               .data_dir = opt.data,
                               .out_dir = opt.out,
                               .fixed = &opt.set,
                               .seed = opt.seed,
                               .n_epochs = opt.epochs,
                               .n_threads = opt.threads ? (int)opt.threads : eng_pool_cpus(),
                               .observe = observe};
    tool_interrupt_catch();
    enum eng_status status = tool_sweep_check(&sweep, &err);
    if (status == ENG_OK) status = run_sweep(&sweep, &opt, &err);
    tool_sweep_grid_fini(&grid);
    return status ? tool_fail(argv[0], &err) : TOOL_OK;
}
