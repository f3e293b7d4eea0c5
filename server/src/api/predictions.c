#include "api/predictions.h"

#include <stdlib.h>
#include <string.h>

struct ranked {
    float probability;
    size_t index;
};

static int compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->probability != y->probability) return x->probability < y->probability ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

static void write_list(const struct srv_answer *answer, const float *probabilities,
                       struct ranked *ranked, struct srv_text *out)
{
    size_t n_classes = answer->card->n_classes;
    for (size_t i = 0; i < n_classes; i++)
        ranked[i] = (struct ranked){probabilities[i], i};
    qsort(ranked, n_classes, sizeof *ranked, compare);
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
    struct ranked *ranked = malloc(n_classes * sizeof *ranked);
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
