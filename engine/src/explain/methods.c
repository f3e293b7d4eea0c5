#include "explain/methods.h"

#include "base/error.h"
#include "explain/map.h"
#include "explain/neighbours.h"
#include "model/whole.h"

#include <stdio.h>
#include <string.h>

static const char *const names[ENG_N_EXPLAIN_METHODS] = {
#define ROW(id, name, shows) [ENG_EXPLAIN_##id] = name,
    ENG_EXPLAIN_METHOD_MAP(ROW)
#undef ROW
};

static const char *const shown[ENG_N_EXPLAIN_METHODS] = {
#define ROW(id, name, shows) [ENG_EXPLAIN_##id] = shows,
    ENG_EXPLAIN_METHOD_MAP(ROW)
#undef ROW
};

const char *eng_explain_method_name(enum eng_explain_method method)
{
    return names[method];
}

const char *eng_explain_method_shows(enum eng_explain_method method)
{
    return shown[method];
}

enum eng_status eng_explain_method_find(const char *name, enum eng_explain_method *out,
                                        struct eng_error *err)
{
    char list[128] = "";
    for (int m = 0; m < ENG_N_EXPLAIN_METHODS; m++) {
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", m ? ", " : "", names[m]);
        if (strcmp(names[m], name) != 0) continue;
        *out = (enum eng_explain_method)m;
        return ENG_OK;
    }
    return eng_fail(err, ENG_ARGUMENT,
                    "there is no method '%.64s' of explanation, wanted one of: %s", name, list);
}

/* Nothing but runs of the network. */
static enum eng_status check_occlusion(const struct eng_model *model, struct eng_error *err)
{
    (void)model, (void)err;
    return ENG_OK;
}

static const struct eng_explain_way ways[ENG_N_EXPLAIN_METHODS] = {
    [ENG_EXPLAIN_GRADCAM] = {eng_explain_check_gradcam, eng_explain_gradcam, true},
    [ENG_EXPLAIN_INTEGRATED_GRADIENTS] = {eng_explain_check_input_gradient,
                                          eng_explain_integrated_gradients, true},
    [ENG_EXPLAIN_SMOOTHGRAD] = {eng_explain_check_input_gradient, eng_explain_smoothgrad, true},
    [ENG_EXPLAIN_OCCLUSION] = {check_occlusion, eng_explain_occlusion, true},
    [ENG_EXPLAIN_NEIGHBOURS] = {eng_explain_check_neighbours, eng_explain_find_neighbours, false},
};

const struct eng_explain_way *eng_explain_way(enum eng_explain_method method)
{
    return &ways[method];
}

/* What AUTO tries, one after the other. */
static const enum eng_explain_method preferred[] = {
    ENG_EXPLAIN_NEIGHBOURS,
    ENG_EXPLAIN_GRADCAM,
    ENG_EXPLAIN_INTEGRATED_GRADIENTS,
    ENG_EXPLAIN_OCCLUSION,
};

static enum eng_status choose_best(const struct eng_model *model, enum eng_explain_method *out,
                                   struct eng_error *err)
{
    enum eng_status status = ENG_UNSUPPORTED;
    for (size_t i = 0; i < sizeof preferred / sizeof preferred[0]; i++) {
        struct eng_error reason = {0};
        status = ways[preferred[i]].check(model, &reason);
        if (status == ENG_OK) *out = preferred[i];
        if (status != ENG_UNSUPPORTED && status != ENG_LIMIT)
            return status == ENG_OK ? ENG_OK : eng_fail(err, status, "%s", reason.text);
    }
    return status; /* occlusion, the last, has no reason to refuse */
}

enum eng_status eng_explain_choose_whole(const struct eng_model *model,
                                         enum eng_explain_method method,
                                         enum eng_explain_method *out, struct eng_error *err)
{
    if (!eng_model_card(model)->takes_images)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "the model takes no pictures; wanted one that does, to explain what it "
                        "looks at");
    if (method == ENG_EXPLAIN_AUTO) return choose_best(model, out, err);
    enum eng_status status = ways[method].check(model, err);
    if (status != ENG_OK) {
        eng_error_context(err, "%s does not fit this model", names[method]);
        return status;
    }
    *out = method;
    return ENG_OK;
}

enum eng_status eng_explain_choose(const struct eng_model *model, enum eng_explain_method method,
                                   enum eng_explain_method *out, struct eng_error *err)
{
    struct eng_model_whole whole;
    enum eng_status status = eng_model_whole_begin(model, &whole, err);
    if (status != ENG_OK) return status;
    status = eng_explain_choose_whole(whole.model, method, out, err);
    eng_model_whole_end(&whole);
    return status;
}
