#include "api/v2_reply.h"

#include "api/ranking.h"

#include <stdlib.h>
#include <string.h>

/* An answer while it is written. */
struct writing {
    const struct srv_v2_answer *answer;
    struct srv_text *out;
    struct srv_text tail; /* binary outputs */
    bool has_tail;
};

static void append_le32(struct srv_text *out, size_t value)
{
    const char bytes[4] = {(char)(value & 255), (char)(value >> 8 & 255), (char)(value >> 16 & 255),
                           (char)(value >> 24 & 255)};
    srv_text_append(out, bytes, sizeof bytes);
}

/* --- numbers --- */

static void write_numbers(struct writing *w, const float *values, bool is_binary)
{
    size_t n = w->answer->n_pictures * w->answer->described->n_classes;
    if (is_binary) {
        srv_text_append(&w->tail, (const char *)values, n * sizeof *values);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        srv_text_puts(w->out, i ? "," : "[");
        srv_text_float(w->out, values[i]);
    }
    srv_text_puts(w->out, "]");
}

/* --- classes --- */

static void write_class(struct writing *w, const struct srv_ranked *class, bool is_binary,
                        bool is_first, struct srv_text *text)
{
    const char *const *labels = w->answer->described->labels;
    srv_text_clear(text);
    srv_text_printf(text, "%f:%zu", (double)class->probability, class->index);
    if (labels) {
        srv_text_puts(text, ":");
        srv_text_puts(text, labels[class->index]);
    }
    if (text->failed) {
        w->out->failed = true;
        return;
    }
    if (is_binary) {
        append_le32(&w->tail, text->n_bytes);
        srv_text_append(&w->tail, text->bytes, text->n_bytes);
        return;
    }
    srv_text_puts(w->out, is_first ? "[" : ",");
    srv_text_json_bytes(w->out, text->bytes, text->n_bytes);
}

static void write_classes(struct writing *w, const float *values, size_t n_top, bool is_binary)
{
    size_t n_classes = w->answer->described->n_classes;
    struct srv_ranked *ranked = malloc(n_classes * sizeof *ranked);
    struct srv_text text = {0};
    if (!ranked) {
        w->out->failed = true;
        return;
    }
    for (size_t p = 0; p < w->answer->n_pictures; p++) {
        srv_rank(values + p * n_classes, n_classes, n_top, ranked);
        for (size_t i = 0; i < n_top; i++)
            write_class(w, &ranked[i], is_binary, p == 0 && i == 0, &text);
    }
    if (!is_binary) srv_text_puts(w->out, "]");
    srv_text_fini(&text);
    free(ranked);
}

/* --- the whole --- */

static void write_output(struct writing *w, const struct srv_v2_wanted *wanted)
{
    const struct srv_v2_model *model = w->answer->described;
    const struct srv_v2_output *output = &model->outputs[wanted->output];
    const float *values = output->is_scores ? w->answer->scores : w->answer->probabilities;
    size_t n_top = wanted->n_top, n_before = w->tail.n_bytes;
    srv_text_puts(w->out, "{\"name\":");
    srv_text_json(w->out, output->name);
    srv_text_printf(w->out, ",\"datatype\":\"%s\",\"shape\":[%zu,%zu]", n_top ? "BYTES" : "FP32",
                    w->answer->n_pictures, n_top ? n_top : model->n_classes);
    if (!wanted->is_binary) srv_text_puts(w->out, ",\"data\":");
    if (n_top)
        write_classes(w, values, n_top, wanted->is_binary);
    else
        write_numbers(w, values, wanted->is_binary);
    if (wanted->is_binary)
        srv_text_printf(w->out, ",\"parameters\":{\"binary_data_size\":%zu}",
                        w->tail.n_bytes - n_before);
    srv_text_puts(w->out, "}");
    w->has_tail |= wanted->is_binary;
}

static void write_head(const struct srv_v2_answer *answer, struct srv_text *out)
{
    const struct srv_v2_request *request = answer->request;
    srv_text_puts(out, "{\"model_name\":");
    srv_text_json(out, answer->model);
    srv_text_puts(out, ",\"model_version\":");
    srv_text_json(out, answer->version);
    if (request->has_id) {
        srv_text_puts(out, ",\"id\":\"");
        srv_text_append(out, request->id.bytes, request->id.n_bytes);
        srv_text_puts(out, "\"");
    }
    srv_text_puts(out, ",\"parameters\":{\"digest\":");
    srv_text_json(out, answer->digest);
    srv_text_puts(out, "},\"outputs\":[");
}

void srv_v2_reply_write(const struct srv_v2_answer *answer, struct srv_text *out, size_t *n_json)
{
    struct writing w = {.answer = answer, .out = out};
    write_head(answer, out);
    for (size_t i = 0; i < answer->request->n_wanted; i++) {
        if (i > 0) srv_text_puts(out, ",");
        write_output(&w, &answer->request->wanted[i]);
    }
    srv_text_puts(out, w.has_tail ? "]}" : "]}\n");
    *n_json = w.has_tail ? out->n_bytes : 0;
    srv_text_append(out, w.tail.bytes ? w.tail.bytes : "", w.tail.n_bytes);
    out->failed |= w.tail.failed;
    srv_text_fini(&w.tail);
}
