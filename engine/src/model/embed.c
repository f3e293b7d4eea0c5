#include "model/embed.h"

#include "base/error.h"
#include "engine/session.h"
#include "model/model_internal.h"
#include "onnx/metadata.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The rows that eng_card_write may write: those of the file would contradict them. */
static bool is_ours(const char *key, size_t n)
{
    static const char *const others[] = {"Image.BitmapPixelFormat", "Image.NominalPixelRange"};
    static const char prefix[] = "classifyd.";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (n == strlen(others[i]) && memcmp(key, others[i], n) == 0) return true;
    return n >= strlen(prefix) && memcmp(key, prefix, strlen(prefix)) == 0;
}

/* A model that is said to need no softmax may need one nevertheless. */
static enum eng_status check_answer(const struct eng_card *card, const float *answer,
                                    struct eng_error *err)
{
    static const char advice[] = "say softmax true if it gives scores, or another output";
    double sum = 0;
    for (size_t i = 0; i < card->n_classes; i++) {
        sum += (double)answer[i];
        if (!(answer[i] >= 0 && answer[i] <= 1))
            return eng_fail(err, ENG_MISMATCH,
                            "output '%s' answers %g for class '%s'; wanted a probability: %s",
                            card->output, (double)answer[i], card->labels[i], advice);
    }
    if (card->independent || fabs(sum - 1) < 1e-3) return ENG_OK;
    return eng_fail(err, ENG_MISMATCH,
                    "output '%s' gives classes' probabilities that sum to %g; wanted 1: %s",
                    card->output, sum, advice);
}

static enum eng_status ask(const struct eng_model *model, const uint8_t *const *pictures, size_t n,
                           struct eng_arena *arena, struct eng_golden *golden,
                           struct eng_error *err)
{
    const struct eng_card *card = &model->source.card;
    struct eng_session *session;
    enum eng_status status = eng_session_create(model, NULL, &session, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; i < n && status == ENG_OK; i++) {
        eng_preprocess_bytes(&card->preprocess, pictures[i], eng_session_sample(session, 1, 0));
        const float *answer = eng_session_classify(session, 1);
        status = check_answer(card, answer, err);
        if (status != ENG_OK) break;
        golden[i].pixels = pictures[i];
        golden[i].probabilities = eng_arena_copy(arena, answer, card->n_classes * sizeof *answer);
        if (!golden[i].probabilities) status = eng_fail_memory(err, "golden samples");
    }
    eng_session_destroy(session);
    return status;
}

/* As a server would load it. */
static enum eng_status verify(const uint8_t *bytes, size_t n_bytes, struct eng_error *err)
{
    const struct eng_model_options options = {.max_batch = 1};
    struct eng_model *model;
    struct eng_session *session = NULL;
    enum eng_status status = eng_model_open_bytes(bytes, n_bytes, &options, &model, err);
    if (status != ENG_OK) return status;
    status = eng_session_create(model, NULL, &session, err);
    if (status == ENG_OK) status = eng_session_check_golden(session, err);
    eng_session_destroy(session);
    eng_model_destroy(model);
    return status;
}

static enum eng_status embed(const struct eng_model *model, const void *bytes, size_t n_bytes,
                             const uint8_t *const *pictures, size_t n_pictures,
                             struct eng_arena *arena, uint8_t **out, size_t *n_out,
                             struct eng_error *err)
{
    struct eng_card card = model->source.card;
    struct eng_golden *golden = eng_arena_alloc(arena, n_pictures + 1, sizeof *golden);
    struct onnx_property *rows = NULL;
    struct onnx_metadata metadata = {.replaces = is_ours};
    if (!golden) return eng_fail_memory(err, "golden samples");
    enum eng_status status = ask(model, pictures, n_pictures, arena, golden, err);
    card.n_golden = n_pictures;
    if (status == ENG_OK)
        status = eng_card_write(&card, golden, card.history, card.recipe, arena, &rows,
                                &metadata.n_rows, err);
    if (status != ENG_OK) return status;
    metadata.rows = rows;
    metadata.doc_string = card.description[0] ? card.description : NULL;
    return onnx_metadata_replace(bytes, n_bytes, &metadata, out, n_out, err);
}

enum eng_status eng_model_embed(const struct eng_model *model, const void *bytes, size_t n_bytes,
                                const uint8_t *const *pictures, size_t n_pictures, uint8_t **out,
                                size_t *n_out, struct eng_error *err)
{
    if (!model->source.card.takes_images)
        return eng_fail(err, ENG_UNSUPPORTED, "the model takes no pictures: %s",
                        model->source.card.no_pictures ? model->source.card.no_pictures
                                                       : "it takes vectors of features");
    struct eng_arena arena;
    uint8_t *file = NULL;
    size_t n_file = 0;
    eng_arena_init(&arena);
    enum eng_status status =
        embed(model, bytes, n_bytes, pictures, n_pictures, &arena, &file, &n_file, err);
    eng_arena_fini(&arena);
    if (status == ENG_OK) status = verify(file, n_file, err);
    if (status != ENG_OK) {
        free(file);
        return status;
    }
    *out = file;
    *n_out = n_file;
    return ENG_OK;
}

enum eng_status eng_model_said(const void *bytes, size_t n_bytes, unsigned *items,
                               struct eng_error *err)
{
    struct onnx_model onnx;
    struct eng_card_source source;
    enum eng_status status = onnx_model_read(bytes, n_bytes, &onnx, err);
    if (status != ENG_OK) return status;
    status = eng_card_read(&onnx, NULL, &onnx.arena, &source, err);
    unsigned said = 0;
    for (unsigned i = 0; status == ENG_OK && i < ENG_N_CARD_ITEMS; i++)
        if (source.card.origin[i] == ENG_ORIGIN_FILE) said |= 1u << i;
    onnx_model_fini(&onnx);
    if (status == ENG_OK) *items = said;
    return status;
}
