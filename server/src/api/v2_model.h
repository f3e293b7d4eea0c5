/*
 * A model as the Open Inference Protocol V2 describes it: one input, the graph's own, and the
 * graph's output under its name. Where that holds scores, "probabilities" stands beside it.
 */
#ifndef SRV_API_V2_MODEL_H
#define SRV_API_V2_MODEL_H

#include "base/json_reader.h"
#include "engine/model.h"

/* A datatype that inputs may have. */
struct srv_v2_type {
    const char *name;
    enum eng_dtype dtype; /* ENG_DTYPE_NONE: BYTES */
    bool is_whole;        /* its numbers are */
    double min, max;
};

/* Purpose: the type of that name; NULL: inputs cannot have it. */
const struct srv_v2_type *srv_v2_type_find(const struct srv_json_text *name);

/* Purpose: "FP32" of ENG_FLOAT32; NULL if the protocol has no such type. */
const char *srv_v2_type_name(enum eng_dtype dtype);

enum { SRV_V2_MAX_OUTPUTS = 2 };

struct srv_v2_output {
    const char *name;
    bool is_scores; /* else probabilities */
};

/* Names are borrowed from the model. */
struct srv_v2_model {
    const char *input;
    enum eng_dtype dtype;   /* of the input */
    struct eng_shape shape; /* the same; the batch, first, is -1 */
    const char *layout;     /* NCHW, NHWC, or NONE where the shape does not say */
    size_t n_numbers;       /* of one picture */
    struct srv_v2_output outputs[SRV_V2_MAX_OUTPUTS];
    size_t n_outputs;
    size_t n_classes;          /* each output is [batch, n_classes] of FP32 */
    const char *const *labels; /* [n_classes]; NULL: nobody named them */
};

/* Purpose: describes a model that serves. */
void srv_v2_model_init(struct srv_v2_model *out, const struct eng_model *model);

#endif
