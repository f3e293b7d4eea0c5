#include "card_files.h"

#include "base/error.h"
#include "base/file.h"
#include "canvas.h"
#include "curves.h"
#include "model/model_internal.h"
#include "regions.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MISTAKE_SIDE_PX = 112, MISTAKE_GAP_PX = 8, MISTAKES_IN_ROW = 5 };

static enum eng_status join(const char *dir, const char *name, char path[PATH_MAX],
                            struct eng_error *err)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX ? ENG_OK
                                 : eng_fail(err, ENG_ARGUMENT, "%.300s: the name is too long", dir);
}

static enum eng_status write_text(const char *dir, const char *name, const char *text,
                                  size_t n_bytes, struct eng_error *err)
{
    char path[PATH_MAX];
    enum eng_status status = join(dir, name, path, err);
    return status == ENG_OK ? eng_file_write(path, text, n_bytes, err) : status;
}

typedef enum eng_status print_fn(const struct eng_train_report *report,
                                 const struct tool_model_file *file, FILE *out,
                                 struct eng_error *err);

static enum eng_status print_json(const struct eng_train_report *report,
                                  const struct tool_model_file *file, FILE *out,
                                  struct eng_error *err)
{
    json_t *object = tool_card_json(report, file);
    if (!object)
        return eng_fail(err, ENG_FORMAT,
                        "card.json cannot be made: a label is not UTF-8, or memory ran out");
    enum eng_status status = tool_json_write(object, out, err);
    fputc('\n', out);
    json_decref(object);
    return status;
}

static enum eng_status write_printed(const char *dir, const char *name, print_fn *print,
                                     const struct eng_train_report *report,
                                     const struct tool_model_file *file, struct eng_error *err)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);
    if (!out) return eng_fail_memory(err, name);
    enum eng_status status = print(report, file, out, err);
    int failed = ferror(out);
    failed |= fclose(out);
    if (status == ENG_OK && failed) status = eng_fail_memory(err, name);
    if (status == ENG_OK) status = write_text(dir, name, text, n_bytes, err);
    free(text);
    return status;
}

static enum eng_status write_curves(const char *dir, const struct eng_train_report *report,
                                    struct eng_error *err)
{
    char *svg = NULL;
    size_t n_bytes;
    if (report->n_epochs == 0) return ENG_OK;
    enum eng_status status = tool_curves_svg(report, &svg, &n_bytes, err);
    if (status == ENG_OK) status = write_text(dir, "curves.svg", svg, n_bytes, err);
    free(svg);
    return status;
}

/* The mistaken pictures, enlarged, in rows. */
static enum eng_status draw_mistakes(const struct eng_train_report *report, struct eng_image *out,
                                     struct eng_error *err)
{
    const struct tool_color ground = {255, 255, 255};
    uint32_t scale =
        (uint32_t)tool_canvas_scale(report->width_px, report->height_px, MISTAKE_SIDE_PX);
    uint32_t width_px = report->width_px * scale + MISTAKE_GAP_PX;
    uint32_t height_px = report->height_px * scale + MISTAKE_GAP_PX;
    uint32_t n = (uint32_t)report->n_mistakes;
    uint32_t n_columns = n < MISTAKES_IN_ROW ? n : MISTAKES_IN_ROW;
    uint32_t n_rows = (n + MISTAKES_IN_ROW - 1) / MISTAKES_IN_ROW;
    enum eng_status status =
        tool_canvas_create(n_columns * width_px + MISTAKE_GAP_PX,
                           n_rows * height_px + MISTAKE_GAP_PX, ground, out, err);
    for (uint32_t i = 0; i < n && status == ENG_OK; i++) {
        /* The picture is read only; struct eng_image has no const form. */
        const struct eng_image picture = {report->width_px, report->height_px, report->n_channels,
                                          (uint8_t *)(uintptr_t)report->mistakes[i].pixels};
        tool_canvas_picture(out, (int)(MISTAKE_GAP_PX + i % MISTAKES_IN_ROW * width_px),
                            (int)(MISTAKE_GAP_PX + i / MISTAKES_IN_ROW * height_px), (int)scale,
                            &picture);
    }
    return status;
}

static enum eng_status write_mistakes(const char *dir, const struct eng_train_report *report,
                                      struct eng_error *err)
{
    char path[PATH_MAX];
    struct eng_image picture = {0};
    if (report->n_mistakes == 0 || !report->mistakes[0].pixels) return ENG_OK;
    enum eng_status status = join(dir, "mistakes.png", path, err);
    if (status == ENG_OK) status = draw_mistakes(report, &picture, err);
    if (status == ENG_OK) status = eng_image_write_png(path, &picture, err);
    eng_image_fini(&picture);
    return status;
}

/* A file of an earlier run that this one does not make would be a lie. */
static void remove_old(const char *dir)
{
    static const char *const names[] = {"curves.svg", "mistakes.png", "regions.png"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (join(dir, names[i], path, NULL) == ENG_OK) remove(path);
}

/* Only a classifier of vectors can have a plane. */
static enum eng_status write_regions(const char *dir, const char *data_dir,
                                     const struct eng_train_report *report, bool *written,
                                     struct eng_error *err)
{
    struct tool_trained trained;
    *written = false;
    if (report->width_px > 0 || report->n_classes == 0) return ENG_OK;
    enum eng_status status = tool_trained_open(dir, data_dir, report, NULL, &trained, err);
    if (status != ENG_OK) return status;
    *written = tool_regions_apply(&trained);
    if (*written) status = tool_regions_write(dir, &trained, err);
    tool_trained_fini(&trained);
    return status;
}

enum eng_status tool_card_files_write(const char *dir, const char *data_dir,
                                      const struct eng_train_report *report, struct eng_error *err)
{
    char path[PATH_MAX];
    struct stat info = {0};
    struct eng_model *model = NULL;
    const struct eng_model_options options = {.max_batch = 1};
    enum eng_status status = join(dir, "model.onnx", path, err);
    if (status == ENG_OK) status = eng_model_open(path, &options, &model, err);
    if (status != ENG_OK) return status;
    struct tool_model_file file = {.n_bytes = stat(path, &info) == 0 ? (size_t)info.st_size : 0,
                                   .digest = eng_model_digest(model),
                                   .flops = model->plans[0]->flops};
    remove_old(dir);
    status = write_curves(dir, report, err);
    if (status == ENG_OK) status = write_mistakes(dir, report, err);
    if (status == ENG_OK) status = write_regions(dir, data_dir, report, &file.has_regions, err);
    if (status == ENG_OK)
        status = write_printed(dir, "README.md", tool_card_text, report, &file, err);
    if (status == ENG_OK) status = write_printed(dir, "card.json", print_json, report, &file, err);
    eng_model_destroy(model);
    return status;
}
