/* classify neighbours: the training pictures that a nearest-neighbour model finds for a picture. */
#include "base/error.h"
#include "classifier.h"
#include "command.h"
#include "explain_print.h"
#include "neighbours.h"
#include "options.h"

#include <stdio.h>

struct neighbours_options {
    const char *out, *config;
    int64_t count;
    bool json;
};

static const struct tool_option options[] = {
    TOOL_TEXT(struct neighbours_options, out, "FILE.png", "draw the picture and its neighbours"),
    TOOL_INT(struct neighbours_options, count, 10, 1, 1000, "N", "neighbours to show"),
    TOOL_FLAG(struct neighbours_options, json, "answer in JSON"),
    TOOL_TEXT(struct neighbours_options, config, "FILE", "config.json with labels"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL IMAGE",
    .min_args = 2,
    .max_args = 2,
    .help =
        "Shows which training pictures a nearest-neighbour model (method knn) finds nearest to a\n"
        "PNG or JPEG: their number in the model, their class, and how far they are.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

static void print_text(const struct tool_neighbours *neighbours)
{
    printf("  index  %10s  label\n", tool_distance_name(&neighbours->found));
    for (size_t i = 0; i < neighbours->found.n_neighbours; i++) {
        const struct eng_explain_neighbour *found = &neighbours->found.neighbours[i];
        printf("%7zu  %10.*f  %s\n", found->index, neighbours->found.is_l2, found->distance,
               neighbours->labels[found->class_index]);
    }
}

static enum eng_status print_json(const struct tool_neighbours *neighbours, const char *model,
                                  const char *image, struct eng_error *err)
{
    json_t *list = tool_neighbours_json(&neighbours->found, neighbours->labels);
    return tool_json_print_take(json_pack("{s:s, s:s, s:s, s:o}", "model", model, "file", image,
                                          "distance", tool_distance_name(&neighbours->found),
                                          "neighbours", list),
                                err);
}

static enum eng_status draw(const struct tool_neighbours *neighbours, const struct eng_model *model,
                            const char *path, struct eng_error *err)
{
    struct eng_explain_view view = {.picture = &neighbours->asked};
    struct eng_image picture;
    enum eng_status status = eng_explanation_draw(&neighbours->found, model, &view, &picture, err);
    if (status) return status;
    status = eng_image_write_png(path, &picture, err);
    eng_image_fini(&picture);
    return status;
}

static enum eng_status show(const struct eng_model *model, char **args,
                            const struct neighbours_options *opt, struct eng_error *err)
{
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image;
    struct tool_neighbours neighbours;
    enum eng_status status = eng_image_load(args[1], &limits, &image, err);
    if (status) return status;
    status = tool_neighbours_find(model, &image, (size_t)opt->count, NULL, &neighbours, err);
    eng_image_fini(&image);
    if (status) eng_error_context(err, "%s", args[0]);
    if (!status && opt->out) status = draw(&neighbours, model, opt->out, err);
    if (!status && opt->json) status = print_json(&neighbours, args[0], args[1], err);
    if (!status && !opt->json) print_text(&neighbours);
    tool_neighbours_fini(&neighbours);
    return status;
}

int cmd_neighbours(int argc, char **argv)
{
    struct neighbours_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct eng_model *model = NULL;
    enum eng_status status = tool_classifier_open(args[0], opt.config, 1, &model, &err);
    if (!status) status = show(model, args, &opt, &err);
    eng_model_destroy(model);
    return status ? tool_fail(argv[0], &err) : TOOL_OK;
}
