#include "train/export.h"

#include "base/error.h"
#include "engine/session.h"
#include "model/convert.h"

#include <stdlib.h>
#include <string.h>

static enum eng_status write_file(const struct eng_export *export, const struct eng_golden *golden,
                                  size_t n_golden, struct eng_arena *arena, uint8_t **bytes,
                                  size_t *n_bytes, struct eng_error *err)
{
    struct eng_card card = {.name = export->recipe->name,
                            .n_classes = export->data->n_classes,
                            .labels = export->data->labels,
                            .preprocess = export->data->input.preprocess,
                            .n_features = export->data->input.n_features,
                            .features = export->data->train.feature_names,
                            .n_golden = n_golden};
    struct onnx_model file;
    enum eng_status status = eng_convert_export(export->graph, &file, err);
    if (status != ENG_OK) return status;
    if (export->recipe->description) file.doc_string = export->recipe->description;
    status = eng_card_write(&card, golden, export->history, export->recipe->text, arena,
                            &file.properties, &file.n_properties, err);
    if (status == ENG_OK) status = onnx_model_write(&file, bytes, n_bytes, err);
    onnx_model_fini(&file);
    return status;
}

/* The session's answers to the first n samples, copied into arena. */
static enum eng_status ask(struct eng_session *session, const struct eng_export *export, size_t n,
                           struct eng_arena *arena, struct eng_golden *golden,
                           struct eng_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *pixels = eng_dataset_sample(&export->data->test, i);
        eng_preprocess_bytes(&export->data->input.preprocess, pixels,
                             eng_session_sample(session, 1, 0));
        const float *answer = eng_session_classify(session, 1);
        golden[i].pixels = pixels;
        golden[i].probabilities =
            eng_arena_copy(arena, answer, export->data->n_classes * sizeof *answer);
        if (!golden[i].probabilities) return eng_fail_memory(err, "golden samples");
    }
    return ENG_OK;
}

/* A file without golden samples is opened as a server would open it. */
static enum eng_status record(const struct eng_export *export, size_t n, struct eng_arena *arena,
                              struct eng_golden *golden, struct eng_error *err)
{
    uint8_t *bytes = NULL;
    size_t n_bytes;
    struct eng_model *model = NULL;
    struct eng_session *session = NULL;
    const struct eng_model_options options = {.max_batch = 1};
    enum eng_status status = write_file(export, NULL, 0, arena, &bytes, &n_bytes, err);
    if (status == ENG_OK) status = eng_model_open_bytes(bytes, n_bytes, &options, &model, err);
    if (status == ENG_OK) status = eng_session_create(model, NULL, &session, err);
    if (status == ENG_OK) status = ask(session, export, n, arena, golden, err);
    eng_session_destroy(session);
    eng_model_destroy(model);
    free(bytes);
    return status;
}

enum eng_status eng_export_bytes(const struct eng_export *export, size_t n_golden, uint8_t **bytes,
                                 size_t *n_bytes, struct eng_error *err)
{
    struct eng_arena arena;
    eng_arena_init(&arena);
    if (n_golden > export->data->test.n) n_golden = export->data->test.n;
    if (export->data->input.kind != ENG_DATASET_PICTURES) n_golden = 0;
    struct eng_golden *golden = eng_arena_alloc(&arena, n_golden + 1, sizeof *golden);
    enum eng_status status = golden ? ENG_OK : eng_fail_memory(err, "golden samples");
    if (status == ENG_OK && n_golden > 0) status = record(export, n_golden, &arena, golden, err);
    if (status == ENG_OK)
        status = write_file(export, golden, n_golden, &arena, bytes, n_bytes, err);
    eng_arena_fini(&arena);
    return status;
}
