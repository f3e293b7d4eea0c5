/* classify preprocess: the very picture that a model sees, as a PNG. */
#include "base/error.h"
#include "classifier.h"
#include "command.h"
#include "options.h"

#include <stdio.h>

struct preprocess_options {
    const char *out;
    const char *config;
};

static const struct tool_option options[] = {
    TOOL_TEXT_REQUIRED(struct preprocess_options, out, "FILE.png", "where the picture goes"),
    TOOL_TEXT(struct preprocess_options, config, "FILE",
              "config.json with labels and preprocessing"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL IMAGE",
    .min_args = 2,
    .max_args = 2,
    .help = "Writes what the model sees of a PNG or JPEG: turned upright, put on the background,\n"
            "resized, cropped, in the model's colours; before its values are normalised.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

static enum eng_status show(const struct eng_card *card, const char *path, const char *out,
                            struct eng_error *err)
{
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image, seen = {0};
    enum eng_status status = eng_image_load(path, &limits, &image, err);
    if (status) return status;
    status = eng_preprocess_picture(&card->preprocess, &image, &seen, err);
    if (!status) status = eng_image_write_png(out, &seen, err);
    if (!status)
        printf("%s: %u x %u -> %s: %u x %u\n", path, image.width_px, image.height_px, out,
               seen.width_px, seen.height_px);
    eng_image_fini(&image);
    eng_image_fini(&seen);
    return status;
}

int cmd_preprocess(int argc, char **argv)
{
    struct preprocess_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct eng_model *model;
    if (tool_classifier_open(args[0], opt.config, 1, &model, &err)) return tool_fail(argv[0], &err);
    enum eng_status status = show(eng_model_card(model), args[1], opt.out, &err);
    eng_model_destroy(model);
    return status ? tool_fail(argv[0], &err) : TOOL_OK;
}
