#include "api/predictions.h"

#include "api/ranking.h"

#include <stdlib.h>

static void write_list(const struct srv_answer *answer, const float *probabilities,
                       struct srv_ranked *ranked, struct srv_text *out)
{
    size_t n_classes = answer->card->n_classes;
    srv_rank(probabilities, n_classes, answer->n_top, ranked);
    for (size_t i = 0; i < answer->n_top; i++) {
        srv_text_puts(out, i ? ",{\"index\":" : "[{\"index\":");
        srv_text_integer(out, (int64_t)ranked[i].index);
        srv_text_puts(out, ",\"label\":");
        srv_text_json(out, answer->card->labels[ranked[i].index]);
        srv_text_puts(out, ",\"probability\":");
        srv_text_float(out, ranked[i].probability);
        srv_text_puts(out, "}");
    }
    srv_text_puts(out, "]");
}

void srv_predictions_write(const struct srv_answer *answer, struct srv_text *out)
{
    size_t n_classes = answer->card->n_classes;
    struct srv_ranked *ranked = malloc(n_classes * sizeof *ranked);
    if (!ranked) {
        out->failed = true;
        return;
    }
    srv_text_puts(out, "{\"model\":");
    srv_text_json(out, answer->model);
    srv_text_puts(out, ",\"version\":");
    srv_text_json(out, answer->version);
    srv_text_puts(out, ",\"digest\":");
    srv_text_json(out, answer->digest);
    srv_text_puts(out, answer->is_list ? ",\"predictions\":[" : ",\"predictions\":");
    for (size_t i = 0; i < answer->n_pictures; i++) {
        if (i > 0) srv_text_puts(out, ",");
        write_list(answer, answer->probabilities + i * n_classes, ranked, out);
    }
    srv_text_puts(out, answer->is_list ? "]}\n" : "}\n");
    free(ranked);
}
