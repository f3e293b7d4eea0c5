/*
 * Bodies of TensorFlow Serving's REST dialect, "V1", for a model with one input.
 *
 *     predict, rows     {"instances": [element, ...]}        -> {"predictions": [[...], ...]}
 *     predict, columns  {"inputs": column}                   -> {"outputs": [[...], ...]}
 *     classify          {"examples": [element, ...]}         -> {"results": [[[label, p], ...],
 * ...]}
 *
 *     element  value or {"<input>": value}
 *     value    {"b64": "<PNG or JPEG>"}, or numbers in the shape of one sample, or those flat
 *     column   list or {"<input>": list}
 *     list     [{"b64"}, ...], or numbers as elements have them with the batch in front; a lone
 *              {"b64"} is a batch of one
 *
 * Beside them "signature_name" may say "serving_default" or "". Other members are passed over, but
 * "context" of classify, which would add to the examples.
 */
#ifndef SRV_API_V1_BODY_H
#define SRV_API_V1_BODY_H

#include "api/pictures.h"

#define SRV_V1_SIGNATURE "serving_default"

/* What the graph calls its input and takes for one sample. */
struct srv_v1_input {
    const char *name;
    struct eng_shape shape; /* without the batch */
};

/* Purpose: the model's only input. The name is borrowed from the model. */
struct srv_v1_input srv_v1_input_of(const struct eng_model *model);

/*
 * Purpose: reads a body; body[n_bytes] is 0. Numbers become SRV_SAMPLE_TENSOR, pictures
 * SRV_SAMPLE_ENCODED. out->is_list is true.
 * Ownership: out owns all that it points into; end it with srv_pictures_fini.
 * Errors: INVALID_REQUEST, TOO_LARGE, INTERNAL (out of memory); err says where and why.
 * Cost: 20 ns a number.
 */
enum srv_code srv_v1_read_predict(const char *body, size_t n_bytes,
                                  const struct srv_v1_input *input,
                                  const struct srv_pictures_limits *limits,
                                  struct srv_pictures *out, bool *is_column, struct eng_error *err);
enum srv_code srv_v1_read_classify(const char *body, size_t n_bytes,
                                   const struct srv_v1_input *input,
                                   const struct srv_pictures_limits *limits,
                                   struct srv_pictures *out, struct eng_error *err);

#endif
