#include "api/explanation.h"

#include <stdio.h>
#include <string.h>

static void write_text(struct srv_text *out, const char *key, const char *value)
{
    srv_text_printf(out, ",\"%s\":", key);
    srv_text_json(out, value);
}

static void write_number(struct srv_text *out, const char *key, double value)
{
    srv_text_printf(out, ",\"%s\":", key);
    srv_text_float(out, (float)value);
}

static void write_rows(const struct eng_explanation *explanation, struct srv_text *out)
{
    const float *value = explanation->map;
    for (uint32_t y = 0; y < explanation->height_px; y++) {
        srv_text_puts(out, y ? "],[" : "[[");
        for (uint32_t x = 0; x < explanation->width_px; x++) {
            if (x > 0) srv_text_puts(out, ",");
            srv_text_float(out, *value++);
        }
    }
    srv_text_puts(out, "]]");
}

static void write_map(const struct eng_explanation *explanation, struct srv_text *out)
{
    srv_text_printf(out, ",\"map\":{\"width\":%u,\"height\":%u,\"signed\":%s",
                    explanation->width_px, explanation->height_px,
                    explanation->is_signed ? "true" : "false");
    write_number(out, "sum", explanation->sum);
    if (explanation->layer_name) {
        srv_text_puts(out, ",\"layer\":{\"name\":");
        srv_text_json(out, explanation->layer_name);
        srv_text_printf(out, ",\"width\":%u,\"height\":%u}", explanation->layer_width,
                        explanation->layer_height);
    }
    srv_text_puts(out, ",\"values\":");
    write_rows(explanation, out);
    srv_text_puts(out, "}");
}

static void write_neighbours(const struct srv_explanation_answer *answer, struct srv_text *out)
{
    const struct eng_explanation *explanation = answer->explanation;
    write_text(out, "distance", explanation->is_l2 ? "L2" : "L1");
    srv_text_puts(out, ",\"neighbours\":[");
    for (size_t i = 0; i < explanation->n_neighbours; i++) {
        const struct eng_explain_neighbour *neighbour = &explanation->neighbours[i];
        srv_text_printf(out, "%s{\"index\":%zu,\"class\":%zu", i ? "," : "", neighbour->index,
                        neighbour->class_index);
        write_text(out, "label", answer->card->labels[neighbour->class_index]);
        write_number(out, "distance", neighbour->distance);
        srv_text_puts(out, "}");
    }
    srv_text_puts(out, "]");
}

void srv_explanation_write(const struct srv_explanation_answer *answer, struct srv_text *out)
{
    const struct eng_explanation *explanation = answer->explanation;
    srv_text_puts(out, "{\"model\":");
    srv_text_json(out, answer->model);
    write_text(out, "version", answer->version);
    write_text(out, "digest", answer->digest);
    write_text(out, "method", eng_explain_method_name(explanation->method));
    srv_text_printf(out, ",\"index\":%zu", explanation->class_index);
    write_text(out, "label", answer->card->labels[explanation->class_index]);
    write_number(out, "probability", explanation->probability);
    write_number(out, "score", explanation->score);
    write_text(out, "score_name", explanation->score_name);
    srv_text_printf(out, ",\"is_logit\":%s", explanation->is_logit ? "true" : "false");
    if (explanation->method == ENG_EXPLAIN_INTEGRATED_GRADIENTS)
        write_number(out, "baseline_score", explanation->baseline_score);
    srv_text_printf(out, ",\"runs\":%zu", explanation->n_runs);
    if (explanation->map) write_map(explanation, out);
    if (explanation->method == ENG_EXPLAIN_NEIGHBOURS) write_neighbours(answer, out);
    srv_text_puts(out, "}\n");
}

static void add_number(struct srv_request *request, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    srv_reply_header(request, name, text);
}

void srv_explanation_add_headers(const struct srv_explanation_answer *answer,
                                 struct srv_request *request)
{
    const struct eng_explanation *explanation = answer->explanation;
    char index[24];
    snprintf(index, sizeof index, "%zu", explanation->class_index);
    srv_reply_header(request, "X-Model", answer->model);
    srv_reply_header(request, "X-Model-Version", answer->version);
    srv_reply_header(request, "X-Explain-Method", eng_explain_method_name(explanation->method));
    srv_reply_header(request, "X-Class-Index", index);
    srv_reply_header(request, "X-Class-Label", answer->card->labels[explanation->class_index]);
    add_number(request, "X-Probability", explanation->probability);
    add_number(request, "X-Score", explanation->score);
}
