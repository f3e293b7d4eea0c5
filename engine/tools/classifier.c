#include "classifier.h"

#include "base/error.h"

enum eng_status tool_classifier_open(const char *path, const char *config_path, int max_batch,
                                     struct eng_model **out, struct eng_error *err)
{
    struct eng_model_options options = {.config_path = config_path, .max_batch = max_batch};
    struct eng_model *model;
    enum eng_status status = eng_model_open(path, &options, &model, err);
    if (status) return status;
    if (!eng_model_card(model)->takes_images) {
        const char *why = eng_model_card(model)->no_pictures;
        status = eng_fail(err, ENG_UNSUPPORTED, "%s takes no pictures: %s", path,
                          why ? why : "it takes vectors of features");
        eng_model_destroy(model);
        return status;
    }
    *out = model;
    return ENG_OK;
}

void tool_top_classes(const float *probabilities, size_t n, size_t *order, size_t k)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t place = kept;
        while (place > 0 && probabilities[order[place - 1]] < probabilities[i])
            place--;
        if (place >= k) continue;
        kept += kept < k;
        for (size_t j = kept - 1; j > place; j--)
            order[j] = order[j - 1];
        order[place] = i;
    }
}
