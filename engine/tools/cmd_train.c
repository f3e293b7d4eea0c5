/* classify train: a recipe and data in, a version folder out, with progress on the way. */
#include "engine/train.h"

#include "card_files.h"
#include "command.h"
#include "interrupt.h"
#include "options.h"
#include "progress.h"

#include <stdio.h>

struct train_options {
    const char *data, *out, *from;
    int64_t seed, epochs, threads;
    bool resume, restart, quiet;
    struct tool_texts set, freeze;
};

static const struct tool_option options[] = {
    TOOL_TEXT(struct train_options, data, "DIR", "the data set, or the folder above it"),
    TOOL_TEXT_REQUIRED(struct train_options, out, "DIR",
                       "where model.onnx goes: models/NAME/VERSION"),
    TOOL_TEXT(struct train_options, from, "MODEL.onnx",
              "goes on from this model, in place of the recipe's layers"),
    TOOL_TEXTS(struct train_options, freeze, "NAME",
               "layers or parameters that stay as they are; * stands for any letters"),
    TOOL_INT(struct train_options, seed, -1, 0, 9e15, "N", "instead of the recipe's seed"),
    TOOL_INT(struct train_options, epochs, 0, 1, 100000, "N", "instead of the recipe's epochs"),
    TOOL_TEXTS(struct train_options, set, "PATH=VALUE",
               "a variable or key of the recipe, such as optimiser.learning_rate=0.1"),
    TOOL_FLAG(struct train_options, resume, "go on from the checkpoint in --out, if there is one"),
    TOOL_FLAG(struct train_options, restart, "throw the checkpoint in --out away and begin anew"),
    TOOL_INT(struct train_options, threads, 0, 1, 1024, "N", "default: every CPU this process has"),
    TOOL_FLAG(struct train_options, quiet, "no progress"),
};

static const struct tool_syntax syntax = {
    .arguments = "RECIPE.json",
    .min_args = 1,
    .max_args = 1,
    .help =
        "Trains the recipe's network and writes an ONNX file that the daemon can serve. The same\n"
        "recipe, seed and data give the same file, whatever the number of threads. Ctrl-C stops;\n"
        "the epochs that are done stand in the checkpoint, and --resume goes on with them.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

static bool observe(void *ctx, const struct eng_train_progress *progress)
{
    if (ctx) tool_progress_show(ctx, progress);
    return !tool_interrupted();
}

int cmd_train(int argc, char **argv)
{
    struct train_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct eng_pool *pool = NULL;
    if (eng_pool_create((int)opt.threads, &pool, &err)) return tool_fail(argv[0], &err);
    struct tool_progress progress = {0};
    struct eng_train_report *report = NULL;
    tool_progress_init(&progress, stdout);
    struct eng_train_options run = {
        .recipe_path = args[0],
        .data_dir = opt.data,
        .out_dir = opt.out,
        .seed = opt.seed,
        .n_epochs = opt.epochs,
        .from = opt.from,
        .freeze = opt.freeze.v,
        .n_freeze = opt.freeze.n,
        .settings = opt.set.v,
        .n_settings = opt.set.n,
        .resume = opt.resume,
        .restart = opt.restart,
        .pool = pool,
        .observe = observe,
        .observe_ctx = opt.quiet ? NULL : &progress,
        .report = &report,
    };
    tool_interrupt_catch();
    enum eng_status status = eng_train(&run, &err);
    eng_pool_destroy(pool);
    if (!opt.quiet) tool_progress_end(&progress);
    if (!status) status = tool_card_files_write(opt.out, opt.data, report, &err);
    eng_train_report_destroy(report);
    if (status) return tool_fail(argv[0], &err);
    if (!opt.quiet) printf("wrote %s/model.onnx and its README.md\n", opt.out);
    return TOOL_OK;
}
