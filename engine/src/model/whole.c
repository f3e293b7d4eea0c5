#include "model/whole.h"

#include "base/error.h"
#include "graph/batch.h"
#include "graph/passes.h"
#include "onnx/onnx.h"

#include <assert.h>
#include <string.h>

/* As eng_model_open made it. */
static enum eng_status make_graph(struct eng_model *again, struct eng_error *err)
{
    struct onnx_model onnx;
    enum eng_status status = onnx_model_read_file(&again->file, &onnx, err);
    if (status != ENG_OK) return status;
    status = eng_model_import(again, &onnx, err);
    onnx_model_fini(&onnx);
    if (status == ENG_OK) status = eng_passes_optimise(&again->graph, err);
    size_t n_found;
    if (status == ENG_OK && again->follows_batch)
        status = eng_batch_follow(&again->graph, &n_found, err);
    return status;
}

static enum eng_status refuse_other(const struct eng_model *model, const char *found,
                                    struct eng_error *err)
{
    return eng_fail(
        err, ENG_MISMATCH,
        "%s: the file was changed after the model was loaded: its SHA-256 is %s, wanted "
        "%s; load it again to explain what it answers",
        model->file.path, found, model->digest);
}

enum eng_status eng_model_whole_begin(const struct eng_model *model, struct eng_model_whole *whole,
                                      struct eng_error *err)
{
    whole->model = model;
    if (!model->lacks_weights) return ENG_OK;
    whole->again = *model;
    whole->model = &whole->again;
    eng_graph_init(&whole->again.graph);
    struct eng_file_digest digest;
    struct eng_error why = {0};
    eng_file_digest_begin(&model->file, &digest);
    enum eng_status status = make_graph(&whole->again, &why);
    enum eng_status digested = eng_file_digest_end(&digest, true, &why);
    /* Whatever else is wrong with other bytes follows from that. */
    if (digested == ENG_OK && strcmp(digest.hex, model->digest) != 0)
        status = refuse_other(model, digest.hex, err);
    else if (status != ENG_OK || digested != ENG_OK)
        status = eng_fail(err, why.status, "%s", why.text);
    if (status != ENG_OK) eng_model_whole_end(whole);
    assert(status != ENG_OK || whole->again.graph.n_values == model->graph.n_values);
    return status;
}

void eng_model_whole_end(struct eng_model_whole *whole)
{
    if (whole->model != &whole->again) return;
    eng_graph_fini(&whole->again.graph);
    whole->model = NULL;
}
