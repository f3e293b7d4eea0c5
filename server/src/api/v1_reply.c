#include "api/v1_reply.h"

#include "api/ranking.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- answers --- */

void srv_v1_write_predict(const float *probabilities, size_t n_samples, size_t n_classes,
                          bool is_column, struct srv_text *out)
{
    srv_text_puts(out, is_column ? "{\"outputs\":[" : "{\"predictions\":[");
    for (size_t i = 0; i < n_samples; i++) {
        const float *row = probabilities + i * n_classes;
        srv_text_puts(out, i ? ",[" : "[");
        for (size_t k = 0; k < n_classes; k++) {
            if (k > 0) srv_text_puts(out, ",");
            srv_text_float(out, row[k]);
        }
        srv_text_puts(out, "]");
    }
    srv_text_puts(out, "]}\n");
}

void srv_v1_write_classify(const float *probabilities, size_t n_samples,
                           const struct eng_card *card, size_t n_top, struct srv_text *out)
{
    struct srv_ranked *ranked = malloc(card->n_classes * sizeof *ranked);
    if (!ranked) {
        out->failed = true;
        return;
    }
    srv_text_puts(out, "{\"results\":[");
    for (size_t i = 0; i < n_samples; i++) {
        srv_rank(probabilities + i * card->n_classes, card->n_classes, n_top, ranked);
        srv_text_puts(out, i ? ",[" : "[");
        for (size_t k = 0; k < n_top; k++) {
            srv_text_puts(out, k ? ",[" : "[");
            srv_text_json(out, card->labels[ranked[k].index]);
            srv_text_puts(out, ",");
            srv_text_float(out, ranked[k].probability);
            srv_text_puts(out, "]");
        }
        srv_text_puts(out, "]");
    }
    srv_text_puts(out, "]}\n");
    free(ranked);
}

/* --- what there is --- */

/* TensorFlow Serving's ModelVersionStatus.State, and the google.rpc.Code that goes with it. */
static void write_state(const struct srv_version_info *info, struct srv_text *out)
{
    static const struct {
        const char *state, *code;
    } rows[] = {[SRV_LOADING] = {"LOADING", "OK"},
                [SRV_READY] = {"AVAILABLE", "OK"},
                [SRV_DRAINING] = {"UNLOADING", "OK"},
                [SRV_FAILED] = {"END", "FAILED_PRECONDITION"},
                [SRV_UNLOADED] = {"END", "OK"}};
    /* The reason names files: it is for the admin listener. */
    bool has_failed = info->state == SRV_FAILED;
    srv_text_puts(out, "{\"version\":");
    srv_text_json(out, info->version);
    srv_text_printf(
        out, ",\"state\":\"%s\",\"status\":{\"error_code\":\"%s\",\"error_message\":\"%s\"}}",
        rows[info->state].state, rows[info->state].code,
        has_failed ? "it could not be loaded; the admin listener's /models says why" : "");
}

bool srv_v1_write_status(const struct srv_snapshot *snapshot, const char *model,
                         const char *version, struct srv_text *out)
{
    bool is_there = false, serves = false;
    for (size_t i = snapshot->n_versions; i-- > 0;) {
        const struct srv_version_info *info = &snapshot->versions[i];
        if (strcmp(info->model, model) != 0 || srv_snapshot_is_repeated(snapshot, i)) continue;
        if (version && strcmp(info->version, version) != 0) continue;
        srv_text_puts(out, is_there ? "," : "{\"model_version_status\":[");
        write_state(info, out);
        is_there = true;
        serves |= info->state == SRV_READY;
    }
    if (!is_there) return false;
    srv_text_puts(out, "],\"name\":");
    srv_text_json(out, model);
    srv_text_puts(out, serves ? ",\"ready\":true}\n" : ",\"ready\":false}\n");
    return true;
}

void srv_v1_write_names(const struct srv_snapshot *snapshot, struct srv_text *out)
{
    const char *before = NULL;
    srv_text_puts(out, "{\"models\":[");
    for (size_t i = 0; i < snapshot->n_versions; i++) {
        const char *model = snapshot->versions[i].model;
        if (before && strcmp(model, before) == 0) continue;
        if (before) srv_text_puts(out, ",");
        srv_text_json(out, model);
        before = model;
    }
    srv_text_puts(out, "]}\n");
}

/* --- metadata --- */

/* tensorflow.DataType. */
static const char *dtype_name(enum eng_dtype dtype)
{
    static const char *const names[] = {
        [ENG_FLOAT32] = "DT_FLOAT",  [ENG_UINT8] = "DT_UINT8",   [ENG_INT8] = "DT_INT8",
        [ENG_UINT16] = "DT_UINT16",  [ENG_INT16] = "DT_INT16",   [ENG_INT32] = "DT_INT32",
        [ENG_INT64] = "DT_INT64",    [ENG_BOOL] = "DT_BOOL",     [ENG_FLOAT16] = "DT_HALF",
        [ENG_FLOAT64] = "DT_DOUBLE", [ENG_UINT32] = "DT_UINT32", [ENG_UINT64] = "DT_UINT64"};
    const char *name = (size_t)dtype < sizeof names / sizeof names[0] ? names[dtype] : NULL;
    return name ? name : "DT_INVALID";
}

/* "name": TensorInfo, which prints 64-bit numbers as texts. */
static void write_tensor(const char *name, enum eng_dtype dtype, const struct eng_shape *sample,
                         struct srv_text *out)
{
    srv_text_json(out, name);
    srv_text_printf(out,
                    ":{\"dtype\":\"%s\",\"tensor_shape\":{\"dim\":[{\"size\":\"-1\","
                    "\"name\":\"\"}",
                    dtype_name(dtype));
    for (int i = 0; i < sample->rank; i++)
        srv_text_printf(out, ",{\"size\":\"%" PRId64 "\",\"name\":\"\"}", sample->dim[i]);
    srv_text_puts(out, "],\"unknown_rank\":false},\"name\":");
    srv_text_json(out, name);
    srv_text_puts(out, "}");
}

static void write_signature(const struct eng_model *model, struct srv_text *out)
{
    const struct eng_card *card = eng_model_card(model);
    const struct srv_v1_input input = srv_v1_input_of(model);
    const struct eng_shape answer = {.rank = 1, .dim = {(int64_t)card->n_classes}};
    const char *name;
    struct eng_tensor tensor = eng_model_input(model, 0, &name);
    srv_text_puts(out, "{\"inputs\":{");
    write_tensor(name, tensor.dtype, &input.shape, out);
    srv_text_puts(out, "},\"outputs\":{");
    /* Where the server adds the softmax, the graph's own output is something else. */
    write_tensor(card->add_softmax ? "probabilities" : card->output, ENG_FLOAT32, &answer, out);
    srv_text_puts(out, "},\"method_name\":\"tensorflow/serving/predict\"}");
}

void srv_v1_write_metadata(const struct srv_served *served, struct srv_text *out)
{
    const struct eng_model *model = srv_served_model(served);
    srv_text_puts(out, "{\"model_spec\":{\"name\":");
    srv_text_json(out, srv_served_name(served));
    srv_text_puts(out, ",\"signature_name\":\"\",\"version\":");
    srv_text_json(out, srv_served_version(served));
    srv_text_puts(out, "},\"metadata\":{\"signature_def\":{\"signature_def\":{\"" SRV_V1_SIGNATURE
                       "\":");
    write_signature(model, out);
    srv_text_printf(out, "}}},\"digest\":\"%s\"}\n", eng_model_digest(model));
}
