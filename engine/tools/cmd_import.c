/* classify import: a file exported elsewhere, made to say all about itself. */
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "command.h"
#include "describe_parts.h"
#include "model/embed.h"
#include "options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_SYNTHETIC = 2 };

static const size_t MAX_FILE_BYTES = (size_t)2 << 30; /* protobuf's own bound */

struct import_options {
    const char *preset;
    const char *labels;
    const char *config;
    struct tool_texts golden;
    const char *out;
    bool force;
};

static const struct tool_option options[] = {
    TOOL_TEXT(struct import_options, preset, "NAME",
              "preprocessing: imagenet-torchvision, imagenet-tf, imagenet-caffe, mnist, cifar10 "
              "or zero-one"),
    TOOL_TEXT(struct import_options, labels, "FILE", "the classes' names, a line each or JSON"),
    TOOL_TEXT(struct import_options, config, "FILE",
              "config.json with labels and preprocessing; --preset and --labels win"),
    TOOL_TEXTS(struct import_options, golden, "IMAGE",
               "pictures whose answers are recorded; without any, two made-up ones"),
    TOOL_TEXT_REQUIRED(struct import_options, out, "DIR",
                       "where model.onnx goes, for instance models/NAME/1"),
    TOOL_FLAG(struct import_options, force,
              "replace DIR/model.onnx, and what the file itself says"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL.onnx",
    .min_args = 1,
    .max_args = 1,
    .help = "Writes labels, preprocessing and golden samples into a copy of the file, which then\n"
            "needs nothing beside it. The graph stays as it is, byte by byte.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

/* What becomes the golden samples: pictures as the model sees them. */
struct pictures {
    uint8_t *pixels[TOOL_MAX_TEXTS];
    size_t n;
};

static void pictures_fini(struct pictures *pictures)
{
    for (size_t i = 0; i < pictures->n; i++)
        free(pictures->pixels[i]);
}

/* Number 0 is smooth, number 1 noise: between them they move every weight of a first layer. */
static void make_up(const struct eng_preprocess *pre, size_t number, uint8_t *pixels)
{
    uint32_t n_channels = eng_preprocess_channels(pre), width = pre->width_px;
    struct eng_rng rng;
    eng_rng_init(&rng, 1, number);
    for (uint32_t y = 0; y < pre->height_px; y++)
        for (uint32_t x = 0; x < width; x++)
            for (uint32_t c = 0; c < n_channels; c++) {
                uint32_t across = x * 255 / width, down = y * 255 / pre->height_px;
                uint32_t smooth = c == 0 ? across : c == 1 ? down : 255 - (across + down) / 2;
                *pixels++ = (uint8_t)(number == 0 ? smooth : eng_rng_below(&rng, 256));
            }
}

static enum eng_status load_picture(const struct eng_preprocess *pre, const char *path,
                                    uint8_t **pixels, struct eng_error *err)
{
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image, seen;
    enum eng_status status = eng_image_load(path, &limits, &image, err);
    if (status) return status;
    status = eng_preprocess_picture(pre, &image, &seen, err);
    eng_image_fini(&image);
    if (!status) *pixels = seen.pixels;
    return status;
}

static enum eng_status choose_pictures(const struct eng_preprocess *pre,
                                       const struct tool_texts *paths, struct pictures *pictures,
                                       struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    size_t n = paths->n ? paths->n : N_SYNTHETIC;
    while (!status && pictures->n < n) {
        uint8_t *pixels = NULL;
        if (paths->n) {
            status = load_picture(pre, paths->v[pictures->n], &pixels, err);
        } else {
            pixels = eng_calloc(eng_preprocess_count(pre), 1);
            if (pixels)
                make_up(pre, pictures->n, pixels);
            else
                status = eng_fail_memory(err, "a picture");
        }
        if (!status) pictures->pixels[pictures->n++] = pixels;
    }
    return status;
}

/* What the file says itself and the command line, too, gives way only to --force. */
static enum eng_status check_said(const char *path, const struct eng_file *file,
                                  const struct eng_card *card, struct eng_error *err)
{
    unsigned said;
    char list[200] = "";
    size_t n = 0;
    enum eng_status status = eng_model_said(file->bytes, file->n_bytes, &said, err);
    if (status) return status;
    for (unsigned i = 0; i < ENG_N_CARD_ITEMS; i++)
        if (said >> i & 1 && card->origin[i] == ENG_ORIGIN_CONFIG && n < sizeof list)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "",
                                  eng_card_item_name((enum eng_card_item)i));
    if (n == 0) return ENG_OK;
    return eng_fail(err, ENG_ARGUMENT, "%s says itself: %s; --force replaces that", path, list);
}

static enum eng_status write_out(const struct eng_model *model, const char *path,
                                 const struct eng_file *file, const struct import_options *opt,
                                 struct eng_error *err)
{
    char out_path[PATH_MAX];
    struct pictures pictures = {.n = 0};
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    int length = snprintf(out_path, sizeof out_path, "%s/model.onnx", opt->out);
    if (length < 0 || (size_t)length >= sizeof out_path)
        return eng_fail(err, ENG_ARGUMENT, "%.300s: the name is too long", opt->out);
    if (!opt->force && eng_file_exists(out_path))
        return eng_fail(err, ENG_ARGUMENT, "%s exists; --force replaces it", out_path);
    const struct eng_card *card = eng_model_card(model);
    enum eng_status status = opt->force ? ENG_OK : check_said(path, file, card, err);
    if (!status) status = choose_pictures(&card->preprocess, &opt->golden, &pictures, err);
    if (!status) {
        status = eng_model_embed(model, file->bytes, file->n_bytes,
                                 (const uint8_t *const *)pictures.pixels, pictures.n, &bytes,
                                 &n_bytes, err);
        if (status) eng_error_context(err, "%s", path);
    }
    if (!status) status = eng_file_make_dirs(opt->out, err);
    if (!status) status = eng_file_write(out_path, bytes, n_bytes, err);
    if (!status) {
        printf("wrote          %s\n", out_path);
        describe_print_items(card);
        printf("golden samples %zu\n", pictures.n);
        describe_print_config(card);
    }
    pictures_fini(&pictures);
    free(bytes);
    return status;
}

static enum eng_status import(const char *path, const struct import_options *opt,
                              struct eng_error *err)
{
    const struct eng_model_options model_options = {.config_path = opt->config,
                                                    .preset = opt->preset,
                                                    .labels_path = opt->labels,
                                                    .max_batch = 1};
    struct eng_file file;
    struct eng_model *model;
    enum eng_status status = eng_file_read(path, MAX_FILE_BYTES, &file, err);
    if (status) return status;
    status = eng_model_open_bytes(file.bytes, file.n_bytes, &model_options, &model, err);
    if (status) {
        eng_error_context(err, "%s", path);
    } else {
        status = write_out(model, path, &file, opt, err);
        eng_model_destroy(model);
    }
    eng_file_fini(&file);
    return status;
}

int cmd_import(int argc, char **argv)
{
    struct import_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    return import(args[0], &opt, &err) ? tool_fail(argv[0], &err) : TOOL_OK;
}
