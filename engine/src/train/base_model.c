#include "train/base_model.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const size_t MAX_FILE_BYTES = (size_t)2 << 30;

static enum eng_status read_onnx(struct eng_base_model *base, struct eng_error *err)
{
    char inside[PATH_MAX];
    const char *path = base->path;
    struct eng_file file;
    if (eng_file_is_dir(path)) {
        snprintf(inside, sizeof inside, "%s/model.onnx", path);
        path = inside;
    }
    enum eng_status status = eng_file_read(path, MAX_FILE_BYTES, &file, err);
    if (status != ENG_OK) return status;
    status = onnx_model_read(file.bytes, file.n_bytes, &base->onnx, err);
    eng_file_fini(&file);
    return status;
}

enum eng_status eng_base_model_open(const char *path, struct eng_base_model **out,
                                    struct eng_error *err)
{
    const struct eng_model_options options = {.max_batch = 1};
    struct eng_base_model *base = eng_calloc(1, sizeof *base);
    if (!base) return eng_fail_memory(err, "the model to begin with");
    base->path = path;
    enum eng_status status = eng_model_open(path, &options, &base->model, err);
    if (status == ENG_OK) status = read_onnx(base, err);
    if (status != ENG_OK) {
        eng_base_model_destroy(base);
        return status;
    }
    *out = base;
    return ENG_OK;
}

void eng_base_model_destroy(struct eng_base_model *base)
{
    if (!base) return;
    onnx_model_fini(&base->onnx);
    eng_model_destroy(base->model);
    free(base);
}

const struct eng_preprocess *eng_base_model_preprocess(const struct eng_base_model *base)
{
    const struct eng_card *card = eng_model_card(base->model);
    return card->takes_images ? &card->preprocess : NULL;
}

void eng_base_model_fit(const struct eng_base_model *base, struct eng_dataset_options *options)
{
    const struct eng_preprocess *pre = eng_base_model_preprocess(base);
    if (!pre || options->has_csv || options->has_toy) return;
    if (!options->width_px) {
        options->width_px = pre->width_px;
        options->height_px = pre->height_px;
    }
    if (!options->n_channels) options->n_channels = eng_preprocess_channels(pre);
}
