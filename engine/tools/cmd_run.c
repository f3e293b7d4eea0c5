/* classify run: raw tensors through a model, .npy files in and out. */
#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"
#include "command.h"
#include "engine/session.h"
#include "npy.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run_options {
    struct tool_texts input;
    const char *output_dir;
    const char *config;
};

static const struct tool_option options[] = {
    TOOL_TEXTS(struct run_options, input, "[NAME=]FILE.npy",
               "inputs, by name or in the graph's order"),
    TOOL_TEXT_REQUIRED(struct run_options, output_dir, "DIR",
                       "for out_0.npy, out_1.npy ..., in the graph's order"),
    TOOL_TEXT(struct run_options, config, "FILE", "config.json with labels and preprocessing"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL",
    .min_args = 1,
    .max_args = 1,
    .help = "Runs the graph on raw tensors: no preprocessing, no softmax added.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

enum { MAX_BATCH = 1024 }; /* the most that a model opens for */

struct input {
    const char *text;         /* [NAME=]FILE.npy */
    size_t n_name;            /* bytes of NAME; 0: none */
    struct eng_tensor tensor; /* data malloc'd */
};

/* The command's work in progress; zeroed at first. */
struct run {
    struct input inputs[TOOL_MAX_TEXTS];
    size_t n_inputs;
    struct eng_model *model;
    struct eng_session *session;
    struct eng_tensor bound[TOOL_MAX_TEXTS]; /* inputs in the graph's order; borrowed data */
    struct eng_tensor *outputs;              /* [n_outputs] views into the session */
};

static void run_fini(struct run *run)
{
    for (size_t i = 0; i < run->n_inputs; i++)
        free(run->inputs[i].tensor.data);
    free(run->outputs);
    eng_session_destroy(run->session);
    eng_model_destroy(run->model);
}

/* float16 becomes float, as what the model holds of it does. */
static enum eng_status widen(struct eng_tensor *tensor, struct eng_error *err)
{
    if (tensor->dtype != ENG_FLOAT16) return ENG_OK;
    size_t n = (size_t)eng_shape_count(&tensor->shape);
    float *wide = eng_calloc(n, sizeof *wide);
    if (!wide) return eng_fail_memory(err, "an input of float16");
    for (size_t i = 0; i < n; i++)
        wide[i] = eng_half_to_float(((const uint16_t *)tensor->data)[i]);
    free(tensor->data);
    tensor->data = wide;
    tensor->dtype = ENG_FLOAT32;
    return ENG_OK;
}

/* A text that is a file's name as a whole names no input, whatever it contains. */
static enum eng_status load_inputs(struct run *run, const struct tool_texts *texts,
                                   struct eng_error *err)
{
    for (size_t i = 0; i < texts->n; i++) {
        struct input *input = &run->inputs[i];
        const char *equals = strchr(texts->v[i], '=');
        input->text = texts->v[i];
        if (equals && !eng_file_exists(texts->v[i])) input->n_name = (size_t)(equals - texts->v[i]);
        const char *path = input->text + (input->n_name ? input->n_name + 1 : 0);
        enum eng_status status = tool_npy_load(path, &input->tensor, err);
        if (status) return status;
        run->n_inputs++;
        status = widen(&input->tensor, err);
        if (status) return status;
    }
    return ENG_OK;
}

/* The model is opened for as many samples as the inputs hold. */
static enum eng_status open_model(struct run *run, const char *path, const char *config_path,
                                  struct eng_error *err)
{
    int64_t n_samples = 1;
    for (size_t i = 0; i < run->n_inputs; i++) {
        const struct eng_shape *shape = &run->inputs[i].tensor.shape;
        if (shape->rank > 0 && shape->dim[0] > n_samples) n_samples = shape->dim[0];
    }
    struct eng_model_options model_options = {
        .config_path = config_path,
        .max_batch = n_samples < MAX_BATCH ? (int)n_samples : MAX_BATCH,
    };
    return eng_model_open(path, &model_options, &run->model, err);
}

/* Writes the graph's input names, for the sentence that one of them is wrong. */
static const char *list_names(const struct eng_model *model, char *buf, size_t n)
{
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < eng_model_n_inputs(model) && used < n; i++) {
        const char *name;
        eng_model_input(model, i, &name);
        used += (size_t)snprintf(buf + used, n - used, "%s'%s'", i ? ", " : "", name);
    }
    return buf;
}

static enum eng_status bind_named(struct run *run, const struct input *input, struct eng_error *err)
{
    for (size_t i = 0; i < eng_model_n_inputs(run->model); i++) {
        const char *name;
        eng_model_input(run->model, i, &name);
        if (strlen(name) != input->n_name || memcmp(name, input->text, input->n_name) != 0)
            continue;
        if (run->bound[i].data)
            return eng_fail(err, ENG_ARGUMENT, "input '%s' is given twice", name);
        run->bound[i] = input->tensor;
        return ENG_OK;
    }
    char names[256];
    return eng_fail(err, ENG_ARGUMENT, "'%.*s' is no input of the model; they are %s",
                    (int)input->n_name, input->text, list_names(run->model, names, sizeof names));
}

/* Inputs with a name first; the others fill what is left, in the graph's order. */
static enum eng_status bind_inputs(struct run *run, struct eng_error *err)
{
    size_t n = eng_model_n_inputs(run->model), next = 0;
    if (run->n_inputs != n || n > TOOL_MAX_TEXTS) {
        char names[256];
        return eng_fail(err, ENG_ARGUMENT, "%zu inputs given, the model takes %zu: %s",
                        run->n_inputs, n, list_names(run->model, names, sizeof names));
    }
    for (size_t i = 0; i < n; i++) {
        enum eng_status status = ENG_OK;
        if (run->inputs[i].n_name) status = bind_named(run, &run->inputs[i], err);
        if (status) return status;
    }
    for (size_t i = 0; i < n; i++) {
        if (run->inputs[i].n_name) continue;
        while (run->bound[next].data)
            next++;
        run->bound[next] = run->inputs[i].tensor;
    }
    return ENG_OK;
}

static enum eng_status save_outputs(const struct run *run, const char *dir, struct eng_error *err)
{
    enum eng_status status = eng_file_make_dirs(dir, err);
    for (size_t i = 0; i < eng_model_n_outputs(run->model) && !status; i++) {
        char path[4096], shape[128];
        const char *name;
        int n = snprintf(path, sizeof path, "%s/out_%zu.npy", dir, i);
        if ((size_t)n >= sizeof path)
            return eng_fail(err, ENG_LIMIT, "the folder's name is too long: %s", dir);
        status = tool_npy_save(path, &run->outputs[i], err);
        eng_model_output(run->model, i, &name);
        if (!status)
            printf("%s  '%s' %s %s\n", path, name, eng_dtype_name(run->outputs[i].dtype),
                   eng_shape_format(&run->outputs[i].shape, shape, sizeof shape));
    }
    return status;
}

static enum eng_status run_model(struct run *run, const char *path, const struct run_options *opt,
                                 struct eng_error *err)
{
    enum eng_status status = load_inputs(run, &opt->input, err);
    if (status || (status = open_model(run, path, opt->config, err)) ||
        (status = bind_inputs(run, err)) ||
        (status = eng_session_create(run->model, NULL, &run->session, err)))
        return status;
    size_t n_outputs = eng_model_n_outputs(run->model);
    run->outputs = eng_calloc(n_outputs, sizeof *run->outputs);
    if (!run->outputs) return eng_fail_memory(err, "the list of outputs");
    status = eng_session_run(run->session, run->bound, run->n_inputs, run->outputs, n_outputs, err);
    return status ? status : save_outputs(run, opt->output_dir, err);
}

int cmd_run(int argc, char **argv)
{
    struct run_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct run run = {0};
    if (run_model(&run, args[0], &opt, &err))
        code = tool_fail(argv[0], &err);
    else
        code = TOOL_OK;
    run_fini(&run);
    return code;
}
