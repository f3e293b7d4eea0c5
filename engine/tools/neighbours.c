#include "neighbours.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>

enum eng_status tool_neighbours_find(const struct eng_model *model, const struct eng_image *image,
                                     size_t n, struct eng_pool *pool, struct tool_neighbours *out,
                                     struct eng_error *err)
{
    const struct eng_card *card = eng_model_card(model);
    const struct eng_preprocess *pre = &card->preprocess;
    struct eng_explain_request request = eng_explain_defaults();
    *out = (struct tool_neighbours){.labels = card->labels};
    enum eng_status status =
        eng_explain_choose(model, ENG_EXPLAIN_NEIGHBOURS, &request.method, err);
    if (status != ENG_OK) return status;
    float *sample = eng_calloc(eng_preprocess_count(pre), sizeof *sample);
    if (!sample) return eng_fail_memory(err, "the picture");
    request.sample = sample;
    request.neighbours = (int64_t)n;
    request.pool = pool;
    status = eng_preprocess_picture(pre, image, &out->asked, err);
    if (status == ENG_OK) {
        eng_preprocess_bytes(pre, out->asked.pixels, sample);
        status = eng_explain(model, &request, &out->found, err);
    }
    free(sample);
    return status;
}

void tool_neighbours_fini(struct tool_neighbours *neighbours)
{
    eng_image_fini(&neighbours->asked);
    eng_explanation_fini(&neighbours->found);
    *neighbours = (struct tool_neighbours){0};
}
