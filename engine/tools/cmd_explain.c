/* classify explain: where in a picture a model finds what it says. */
#include "base/error.h"
#include "classifier.h"
#include "command.h"
#include "engine/explain.h"
#include "explain_print.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_PARAMETERS = 12, HELP_BYTES = 240 };

static const char *const methods[] = {
#define ROW(name, text, shows) text,
    ENG_EXPLAIN_METHOD_MAP(ROW)
#undef ROW
        NULL,
};

struct explain_options {
    const char *out, *class, *config;
    int method; /* enum eng_explain_method: the choices stand in its order */
    bool json, original;
    int64_t scale;
    const char *parameters[MAX_PARAMETERS]; /* in the engine's order; NULL: not given */
};

static const struct tool_option own_options[] = {
    TOOL_TEXT(struct explain_options, out, "FILE.png", "where the map over the picture goes"),
    TOOL_TEXT(struct explain_options, class, "K",
              "number or label of the class to explain; without it the most probable"),
    TOOL_CHOICE(struct explain_options, method, ENG_EXPLAIN_AUTO, methods, "METHOD",
                "gradcam, integrated-gradients, smoothgrad, occlusion, neighbours or auto"),
    TOOL_FLAG(struct explain_options, json, "all of it in JSON, the raw map too"),
    TOOL_FLAG(struct explain_options, original,
              "draw over the picture as it came, not as the model sees it"),
    TOOL_INT(struct explain_options, scale, 0, 0, 64, "N",
             "pixels drawn for one of the picture; 0: as many as make it 224 wide and high"),
    TOOL_TEXT(struct explain_options, config, "FILE", "config.json with labels and preprocessing"),
};
enum { N_OWN = sizeof own_options / sizeof own_options[0] };

/* The command line as a table: our own options, then the engine's parameters. */
struct command_line {
    struct tool_syntax syntax;
    struct tool_option options[N_OWN + MAX_PARAMETERS];
    char help[MAX_PARAMETERS][HELP_BYTES];
};

/* "points on the path (integrated-gradients; 1 to 1024, default 64)". */
static void describe(const struct eng_explain_parameter *parameter, char help[HELP_BYTES])
{
    size_t n = (size_t)snprintf(help, HELP_BYTES, "%s", parameter->help);
    for (unsigned m = 0; m < ENG_N_EXPLAIN_METHODS && n < HELP_BYTES; m++)
        if (parameter->methods >> m & 1)
            n += (size_t)snprintf(help + n, HELP_BYTES - n, "%s%s",
                                  parameter->methods & ((1u << m) - 1) ? ", " : " (", methods[m]);
    if (n >= HELP_BYTES) return;
    if (parameter->choices)
        snprintf(help + n, HELP_BYTES - n, "; default %s)",
                 parameter->choices[(size_t)parameter->standard]);
    else
        snprintf(help + n, HELP_BYTES - n, "; %.10g to %.10g, default %.10g)", parameter->min,
                 parameter->max, parameter->standard);
}

static void list_options(struct command_line *line)
{
    size_t n = eng_explain_n_parameters();
    if (n > MAX_PARAMETERS) n = MAX_PARAMETERS;
    for (size_t i = 0; i < N_OWN; i++)
        line->options[i] = own_options[i];
    for (size_t i = 0; i < n; i++) {
        struct eng_explain_parameter parameter = eng_explain_parameter(i);
        describe(&parameter, line->help[i]);
        line->options[N_OWN + i] = (struct tool_option){
            .field = {.name = parameter.name,
                      .type = ENG_FIELD_STRING,
                      .offset = offsetof(struct explain_options, parameters) + i * sizeof(char *),
                      .help = line->help[i]},
            .value = parameter.choices ? "COLOR" : "N",
        };
    }
    line->syntax = (struct tool_syntax){
        .arguments = "MODEL IMAGE",
        .min_args = 2,
        .max_args = 2,
        .help = "Shows what in a PNG or JPEG speaks for a class: a heat map over the picture.",
        .options = line->options,
        .n_options = N_OWN + n,
    };
}

static enum eng_status make_request(const struct eng_card *card, const struct explain_options *opt,
                                    struct eng_explain_request *request, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    size_t index;
    *request = eng_explain_defaults();
    request->method = (enum eng_explain_method)opt->method;
    for (size_t i = 0; i < MAX_PARAMETERS && !status; i++)
        if (opt->parameters[i])
            status =
                eng_explain_set(request, eng_explain_parameter(i).name, opt->parameters[i], err);
    if (status || !opt->class) return status;
    status = eng_card_find_class(card, opt->class, &index, err);
    if (!status) request->class_index = (int64_t)index;
    return status;
}

/* The picture as it came and as the model sees it. */
struct pictures {
    struct eng_image original, seen;
    float *sample;
};

/* On failure too the caller ends out with pictures_fini. */
static enum eng_status pictures_init(const struct eng_preprocess *pre, const char *path,
                                     struct pictures *out, struct eng_error *err)
{
    struct eng_image_limits limits = eng_image_limits_default();
    enum eng_status status = eng_image_load(path, &limits, &out->original, err);
    if (!status) status = eng_preprocess_picture(pre, &out->original, &out->seen, err);
    if (status) return status;
    out->sample = calloc(eng_preprocess_count(pre), sizeof *out->sample);
    if (!out->sample) return eng_fail_memory(err, "the picture");
    eng_preprocess_bytes(pre, out->seen.pixels, out->sample);
    return ENG_OK;
}

static void pictures_fini(struct pictures *pictures)
{
    eng_image_fini(&pictures->original);
    eng_image_fini(&pictures->seen);
    free(pictures->sample);
}

static enum eng_status draw(const struct eng_model *model,
                            const struct eng_explanation *explanation,
                            const struct explain_options *opt, const struct pictures *pictures,
                            struct eng_error *err)
{
    const struct eng_explain_view view = {
        .picture = opt->original ? &pictures->original : &pictures->seen,
        .is_original = opt->original,
        .scale = (uint32_t)opt->scale,
    };
    struct eng_image drawing;
    enum eng_status status = eng_explanation_draw(explanation, model, &view, &drawing, err);
    if (status) return status;
    status = eng_image_write_png(opt->out, &drawing, err);
    if (!status && !opt->json)
        printf("wrote       %s, %u x %u\n", opt->out, drawing.width_px, drawing.height_px);
    eng_image_fini(&drawing);
    return status;
}

static enum eng_status explain(const struct eng_model *model, char **args,
                               const struct explain_options *opt, struct eng_pool *pool,
                               struct eng_error *err)
{
    const struct eng_card *card = eng_model_card(model);
    struct eng_explain_request request;
    enum eng_status status = make_request(card, opt, &request, err);
    if (status) return status;
    struct pictures pictures = {0};
    struct eng_explanation explanation = {0};
    status = pictures_init(&card->preprocess, args[1], &pictures, err);
    request.sample = pictures.sample;
    request.pool = pool;
    if (!status) status = eng_explain(model, &request, &explanation, err);
    if (!status && !opt->json) tool_explanation_print(&explanation, card);
    if (!status && opt->out) status = draw(model, &explanation, opt, &pictures, err);
    if (!status && opt->json)
        status = tool_explanation_print_json(&explanation, model, args[0], args[1], err);
    eng_explanation_fini(&explanation);
    pictures_fini(&pictures);
    return status;
}

int cmd_explain(int argc, char **argv)
{
    struct command_line line = {0};
    struct explain_options opt = {0};
    char **args;
    size_t n_args;
    int code;
    list_options(&line);
    if (!tool_options_parse(&line.syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct eng_model *model = NULL;
    struct eng_pool *pool = NULL;
    enum eng_status status = tool_classifier_open(args[0], opt.config, 1, &model, &err);
    if (!status) status = eng_pool_create(0, &pool, &err);
    if (!status) status = explain(model, args, &opt, pool, &err);
    eng_pool_destroy(pool);
    eng_model_destroy(model);
    return status ? tool_fail(argv[0], &err) : TOOL_OK;
}
