/* classify augment: a sheet of what training sees of one picture, epoch by epoch. */
#include "canvas.h"
#include "command.h"
#include "options.h"
#include "train/data.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { PICTURE_SIDE_PX = 96, GAP_PX = 8 };

struct augment_options {
    const char *data, *out;
    int64_t count, sample, seed;
    struct tool_texts set;
};

static const struct tool_option options[] = {
    TOOL_TEXT(struct augment_options, data, "DIR", "the data set, or the folder above it"),
    TOOL_TEXT_REQUIRED(struct augment_options, out, "FILE.png", "the sheet"),
    TOOL_INT(struct augment_options, count, 24, 1, 1000, "N", "variants: one for every epoch"),
    TOOL_INT(struct augment_options, sample, 0, 0, 4294967295.0, "I", "which training picture"),
    TOOL_INT(struct augment_options, seed, -1, 0, 9e15, "N", "instead of the recipe's seed"),
    TOOL_TEXTS(struct augment_options, set, "PATH=VALUE",
               "a variable or key of the recipe, such as augment.cutout_px=8"),
};

static const struct tool_syntax syntax = {
    .arguments = "RECIPE.json",
    .min_args = 1,
    .max_args = 1,
    .help =
        "Draws a training picture, and behind it what the recipe's augmentation makes of it in "
        "the\n"
        "first epoch, the second and so on: exactly what the network is shown. Mixup, which takes\n"
        "a whole batch, is left out.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

/* The recipe, its data, and a picture to draw variants into. */
struct subject {
    struct eng_recipe recipe;
    struct eng_data data;
    struct eng_image picture;
};

static enum eng_status load(const char *recipe_path, const struct augment_options *opt,
                            struct subject *subject, struct eng_error *err)
{
    const struct eng_recipe_overrides overrides = {
        .seed = opt->seed, .settings = opt->set.v, .n_settings = opt->set.n};
    enum eng_status status = eng_recipe_load(recipe_path, &overrides, &subject->recipe, err);
    if (status == ENG_OK)
        status = eng_data_load(opt->data, &subject->recipe, NULL, &subject->data, err);
    if (status != ENG_OK) return status;
    const struct eng_dataset *train = &subject->data.train;
    if (train->kind != ENG_DATASET_PICTURES)
        return eng_fail(err, ENG_FORMAT, "%s: the samples are vectors; wanted pictures",
                        recipe_path);
    if ((size_t)opt->sample >= train->n)
        return eng_fail(err, ENG_ARGUMENT, "--sample is %lld; wanted 0 to %zu",
                        (long long)opt->sample, train->n - 1);
    subject->picture = (struct eng_image){train->width_px, train->height_px, train->n_channels,
                                          eng_calloc(eng_dataset_sample_bytes(train), 1)};
    return subject->picture.pixels ? ENG_OK : eng_fail_memory(err, "a picture");
}

static void draw_variant(const struct augment_options *opt, const struct subject *subject,
                         uint64_t epoch)
{
    const struct eng_augment_variant variant = {.seed = (uint64_t)subject->recipe.seed,
                                                .epoch = epoch,
                                                .sample = (uint64_t)opt->sample,
                                                .mean = subject->data.input.mean_picture};
    const struct eng_image *picture = &subject->picture;
    eng_augment_run(&subject->recipe.augment, &variant,
                    eng_dataset_sample(&subject->data.train, (size_t)opt->sample),
                    picture->width_px, picture->height_px, picture->n_channels, picture->pixels);
}

static void draw_original(const struct augment_options *opt, const struct subject *subject)
{
    memcpy(subject->picture.pixels, eng_dataset_sample(&subject->data.train, (size_t)opt->sample),
           eng_dataset_sample_bytes(&subject->data.train));
}

/* As square as the count allows; the picture itself stands first. */
static enum eng_status draw_sheet(const struct augment_options *opt, const struct subject *subject,
                                  struct eng_image *out, struct eng_error *err)
{
    const struct tool_color ground = {255, 255, 255};
    const struct eng_image *picture = &subject->picture;
    uint32_t scale =
        (uint32_t)tool_canvas_scale(picture->width_px, picture->height_px, PICTURE_SIDE_PX);
    uint32_t step_x = picture->width_px * scale + GAP_PX;
    uint32_t step_y = picture->height_px * scale + GAP_PX;
    uint32_t n = (uint32_t)opt->count + 1, n_columns = 1;
    while (n_columns * n_columns < n)
        n_columns++;
    uint32_t n_rows = (n + n_columns - 1) / n_columns;
    enum eng_status status =
        tool_canvas_create(n_columns * step_x + GAP_PX, n_rows * step_y + GAP_PX, ground, out, err);
    for (uint32_t i = 0; i < n && status == ENG_OK; i++) {
        if (i == 0)
            draw_original(opt, subject);
        else
            draw_variant(opt, subject, i - 1);
        tool_canvas_picture(out, (int)(i % n_columns * step_x + GAP_PX),
                            (int)(i / n_columns * step_y + GAP_PX), (int)scale, picture);
    }
    return status;
}

int cmd_augment(int argc, char **argv)
{
    struct augment_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct subject subject = {0};
    struct eng_image sheet = {0};
    enum eng_status status = load(args[0], &opt, &subject, &err);
    if (status == ENG_OK) status = draw_sheet(&opt, &subject, &sheet, &err);
    if (status == ENG_OK) status = eng_image_write_png(opt.out, &sheet, &err);
    eng_image_fini(&sheet);
    eng_image_fini(&subject.picture);
    eng_data_fini(&subject.data);
    eng_recipe_fini(&subject.recipe);
    if (status != ENG_OK) return tool_fail(argv[0], &err);
    printf("wrote %s\n", opt.out);
    return TOOL_OK;
}
