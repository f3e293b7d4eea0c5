#include "api/v2_model.h"

#include <math.h>
#include <string.h>

static const struct srv_v2_type types[] = {
    {"FP32", ENG_FLOAT32, false, -INFINITY, INFINITY},
    {"FP64", ENG_FLOAT64, false, -INFINITY, INFINITY},
    {"FP16", ENG_FLOAT16, false, -65504, 65504},
    {"UINT8", ENG_UINT8, true, 0, UINT8_MAX},
    {"UINT16", ENG_UINT16, true, 0, UINT16_MAX},
    {"UINT32", ENG_UINT32, true, 0, UINT32_MAX},
    {"UINT64", ENG_UINT64, true, 0, 0x1p64},
    {"INT8", ENG_INT8, true, INT8_MIN, INT8_MAX},
    {"INT16", ENG_INT16, true, INT16_MIN, INT16_MAX},
    {"INT32", ENG_INT32, true, INT32_MIN, INT32_MAX},
    {"INT64", ENG_INT64, true, -0x1p63, 0x1p63},
    {"BYTES", ENG_DTYPE_NONE, false, 0, 0},
};
enum { N_TYPES = sizeof types / sizeof types[0] };

const struct srv_v2_type *srv_v2_type_find(const struct srv_json_text *name)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (srv_json_text_is(name, types[i].name)) return &types[i];
    return NULL;
}

const char *srv_v2_type_name(enum eng_dtype dtype)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (types[i].dtype == dtype && dtype != ENG_DTYPE_NONE) return types[i].name;
    return NULL;
}

static const char *layout_of(const struct eng_card *card, const struct eng_shape *shape)
{
    if (shape->rank != 4) return "NONE";
    return card->preprocess.layout == ENG_LAYOUT_HWC ? "NHWC" : "NCHW";
}

void srv_v2_model_init(struct srv_v2_model *out, const struct eng_model *model)
{
    const struct eng_card *card = eng_model_card(model);
    const char *name;
    struct eng_tensor input = eng_model_input(model, 0, &name);
    *out = (struct srv_v2_model){
        .input = name,
        .dtype = input.dtype,
        .shape = input.shape,
        .layout = layout_of(card, &input.shape),
        .n_numbers = eng_preprocess_count(&card->preprocess),
        .outputs = {{card->output, card->add_softmax}},
        .n_outputs = 1,
        .n_classes = card->n_classes,
        .labels = card->guessed & ENG_GUESS_LABELS ? NULL : card->labels,
    };
    if (!card->add_softmax) return;
    bool is_taken = strcmp(card->output, "probabilities") == 0;
    out->outputs[out->n_outputs++].name = is_taken ? "softmax" : "probabilities";
}
