/* classify inspect: what a model is: card, inputs, outputs, nodes, memory and work. */
#include "base/error.h"
#include "command.h"
#include "describe.h"
#include "json.h"
#include "model/model_internal.h"
#include "options.h"

#include <stdio.h>

struct inspect_options {
    const char *config;
    bool json;
};

static const struct tool_option options[] = {
    TOOL_TEXT(struct inspect_options, config, "FILE", "config.json with labels and preprocessing"),
    TOOL_FLAG(struct inspect_options, json, "answer in JSON"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL",
    .min_args = 1,
    .max_args = 1,
    .help =
        "Shows a model as it will run, after folding and fusing: card, shapes (N is the batch),\n"
        "parameters, memory and work.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

static enum eng_status inspect(const char *path, const struct inspect_options *opt,
                               struct eng_error *err)
{
    struct eng_model_options model_options = {.config_path = opt->config};
    struct eng_model *model;
    enum eng_status status = eng_model_open(path, &model_options, &model, err);
    if (status) return status;
    if (opt->json)
        status = tool_json_print_take(tool_describe_json(model, path), err);
    else
        tool_describe_print(model, path);
    eng_model_destroy(model);
    return status;
}

int cmd_inspect(int argc, char **argv)
{
    struct inspect_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    return inspect(args[0], &opt, &err) ? tool_fail(argv[0], &err) : TOOL_OK;
}
